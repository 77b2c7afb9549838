// Each document of the files named is validated against the schema of its definition, where one of the packages has it.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const PACKAGES = {
  "argoproj.io/v1alpha1": { Application: "argo-cd", Rollout: "argo-rollouts", AnalysisTemplate: "argo-rollouts" },
  "helm.toolkit.fluxcd.io/v2": { "": "flux-cd" },  // in the package as v2beta2, which v2 took over
  "source.toolkit.fluxcd.io/v1": { "": "flux-cd" },
  "keda.sh/v1alpha1": { "": "keda" },
  "monitoring.coreos.com/v1": { "": "prometheus-operator" },
  "networking.istio.io/v1": { "": "istio" },  // in the package as v1beta1
  "telemetry.istio.io/v1": { "": "istio" },  // in the package as v1alpha1
};
let failed = 0;
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    if (document.errors.length) throw document.errors[0];
    const resource = document.toJS();
    const kinds = PACKAGES[resource?.apiVersion];
    const name = kinds?.[resource.kind] ?? kinds?.[""];
    if (!name) continue;
    const version = { "helm.toolkit.fluxcd.io/v2": "helm.toolkit.fluxcd.io/v2beta2", "telemetry.istio.io/v1": "telemetry.istio.io/v1alpha1", "networking.istio.io/v1": "networking.istio.io/v1beta1" }[resource.apiVersion] ?? resource.apiVersion;
    const definition = await import(`@kubernetes-models/${name}/${version}/${resource.kind}`);
    try {
      resource.apiVersion = version;
      new definition[resource.kind](resource).validate();
      console.log(`ok ${file}: ${resource.kind} ${resource.metadata?.name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${file}: ${resource.kind} ${resource.metadata?.name}: ${error.message}`);
    }
  }
}
process.exit(failed ? 1 : 0);
