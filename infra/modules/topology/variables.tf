variable "services" {
  description = "The folder of the services: every */service.yaml in it is read."
  type        = string
}
