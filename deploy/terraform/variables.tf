variable "namespace" {
  description = "Where the agent runs."
  type        = string
  default     = "agents"
}

variable "image" {
  description = "The agent's image."
  type        = object({ repository = string, tag = string })
}

variable "otlp_endpoint" {
  description = "Where spans go; empty keeps them in the pod's volume."
  type        = string
  default     = ""
}

variable "openai_api_key" {
  description = "The key of the model provider. It becomes part of the state: encrypt that, or fill the secret elsewhere."
  type        = string
  sensitive   = true
}

variable "status_token" {
  description = "What Prometheus sends to read /metrics."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.status_token) >= 16 && can(regex("^[!-~]+$", var.status_token))
    error_message = "16 printable ASCII characters without blanks, at least."
  }
}

variable "limits" {
  description = "Limits of the agent, as AGENTOPS_LIMITS has them."
  type        = string
  default     = "5 usd / run"
}
