"""What spans look like in files and on the wire, to read and to write: lines, JSON, OTLP, OpenTelemetry's own."""
