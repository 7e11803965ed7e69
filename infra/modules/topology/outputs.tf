output "topology" {
  description = "Everything that has to exist, every map keyed by the thing's name."
  value = {
    bus            = local.prefix
    bucket         = local.prefix
    queues         = local.queues
    rules          = { for name, rule in local.rules : name => { queue = rule.queue, pattern = jsondecode(rule.pattern) } }
    functions      = local.functions
    tables         = local.tables
    state_machines = local.state_machines
    schedules      = local.schedules
  }
}
