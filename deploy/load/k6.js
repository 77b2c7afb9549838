// k6 run --env HOST=http://127.0.0.1:8080 k6.js
// Each request begins a trace with an id of its own; the tag `trace` puts it beside every measurement
// (k6 run --out csv=load.csv), and `agentops show ID` shows what the agent did meanwhile.
import http from "k6/http";
import crypto from "k6/crypto";
import { check, sleep } from "k6";

export const options = {
  stages: [{ duration: "30s", target: 20 }, { duration: "1m", target: 20 }, { duration: "10s", target: 0 }],
  thresholds: { http_req_failed: ["rate<0.01"], http_req_duration: ["p(95)<5000"] },
};

const hex = (bytes) => Array.from(new Uint8Array(crypto.randomBytes(bytes)), (b) => b.toString(16).padStart(2, "0")).join("");

export default function () {
  const trace = hex(16);
  const reply = http.post(`${__ENV.HOST}/ask`, JSON.stringify({ question: "What is a tea?" }), {
    headers: { "Content-Type": "application/json", traceparent: `00-${trace}-${hex(8)}-01` },
    tags: { trace, name: "ask" },
  });
  check(reply, { "answered": (r) => r.status === 200 });
  sleep(0.1 + Math.random() * 0.4);
}
