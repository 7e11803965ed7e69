# The topology that the manifests describe: the same fold as goalrunner_shared.topology.
# It has no provider, so that it can be applied, and held against Python's, anywhere.

terraform {
  required_version = ">= 1.9"
}

locals {
  prefix       = "goalrunner"
  max_receives = 5

  manifests = {
    for file in fileset(var.services, "*/service.yaml") :
    dirname(file) => yamldecode(file("${var.services}/${file}"))
  }

  functions = merge([
    for manifest in local.manifests : {
      for name, function in manifest.functions :
      "${local.prefix}-${manifest.service}-${name}" => {
        service     = manifest.service
        handler     = function.handler
        timeout     = tonumber(try(function.timeout, 60))
        memory      = tonumber(try(function.memory, 256))
        batch       = tonumber(try(function.batch, 10))
        concurrency = tonumber(try(function.concurrency, 2))
      }
    }
  ]...)

  heard = merge([
    for manifest in local.manifests : {
      for name, function in manifest.functions :
      "${local.prefix}-${manifest.service}-${name}" => {
        all    = try(function.hears == "all", false)
        events = try(toset(function.hears), [])
      }
    }
  ]...)

  queues = {
    for name, function in local.functions : name => {
      dead_letter_queue = "${name}-dead"
      max_receives      = local.max_receives
      visibility        = function.batch == 1 ? function.timeout + 60 : 6 * function.timeout
    }
  }

  rules = merge([
    for queue, heard in local.heard : merge(
      {
        for event in heard.events : "${queue}-${replace(event, ".", "-")}" => {
          pattern = jsonencode({ "detail-type" = [event] })
          queue   = queue
        }
      },
      heard.all ? {
        "${queue}-all" = {
          pattern = jsonencode({ source = [{ prefix = "${local.prefix}." }] })
          queue   = queue
        }
      } : {}
    )
  ]...)

  tables = {
    for manifest in local.manifests :
    "${local.prefix}-${manifest.service}" => { service = manifest.service }
    if try(tobool(manifest.needs.table), false)
  }

  state_machines = merge([
    for manifest in local.manifests : {
      for name, machine in try(manifest.state_machines, {}) :
      "${local.prefix}-${manifest.service}-${name}" => {
        service    = manifest.service
        definition = machine.definition
        queue      = "${local.prefix}-${manifest.service}-${machine.sends_to}"
      }
    }
  ]...)

  schedules = merge([
    for manifest in local.manifests : {
      for name, schedule in try(manifest.schedules, {}) :
      "${local.prefix}-${manifest.service}-${name}" => {
        queue   = "${local.prefix}-${manifest.service}-${schedule.to}"
        event   = schedule.says
        minutes = tonumber(schedule.minutes)
      }
    }
  ]...)
}
