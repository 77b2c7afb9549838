# The agent by its Helm chart, the secret it needs, and the dashboards. Providers are configured by who uses this.
resource "kubernetes_namespace" "agents" {
  metadata {
    name   = var.namespace
    labels = { "pod-security.kubernetes.io/enforce" = "restricted" }
  }
}

resource "kubernetes_secret" "agent" {
  metadata {
    name      = "agent"
    namespace = kubernetes_namespace.agents.metadata[0].name
  }
  data = {
    "openai-api-key" = var.openai_api_key
    "status-token"   = var.status_token
  }
}

resource "helm_release" "agent" {
  name      = "agent"
  namespace = kubernetes_namespace.agents.metadata[0].name
  chart     = "${path.module}/../helm/agent"
  atomic    = true
  values = [yamlencode({
    image          = var.image
    otlp           = { endpoint = var.otlp_endpoint }
    env            = { AGENTOPS_LIMITS = var.limits }
    secret         = { name = kubernetes_secret.agent.metadata[0].name }
    serviceMonitor = { enabled = true }
    prometheusRule = { enabled = true }
  })]
}

resource "grafana_folder" "agents" {
  title = "Agents"
}

resource "grafana_dashboard" "agents" {
  for_each    = fileset("${path.module}/../monitoring", "grafana-*.json")
  folder      = grafana_folder.agents.id
  config_json = file("${path.module}/../monitoring/${each.value}")
}
