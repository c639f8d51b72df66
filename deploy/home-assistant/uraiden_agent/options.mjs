// `options.mjs config`: agent.yaml on standard output, of the add-on's options or a file of the owner's; the broker is
// the Supervisor's. `options.mjs broker-password`: what the broker asks for.
import { existsSync, readFileSync } from 'node:fs'

const own = '/config/agent.yaml'
const home = '/data/agent'

/** Where the add-on keeps things, whatever the configuration says. */
const places = {
  key: `${home}/key.json`,
  password: `${home}/password`,
  state: `${home}/state`,
}

/**
 * JSON, which is YAML too.
 * @param options as schema in config.yaml has them
 * @param broker what the Supervisor says of the MQTT service; undefined where there is none
 */
export function agentYaml(options, broker) {
  const { rpc, contract, budget_request, budget_day, budget_total } = options
  return JSON.stringify({
    ...{ rpc, contract, ...places },
    budget: { request: budget_request, day: budget_day, total: budget_total },
    receivers: named(options.receivers),
    jobs: Object.fromEntries(options.jobs.map((job) => [job.name, jobOf(job, broker)])),
    ...(broker && { mqtt: mqttOf(broker) }),
    log: { level: options.log_level },
  })
}

function named(all) {
  return Object.fromEntries(all.map(({ name, ...settings }) => [name, settings]))
}

function jobOf({ name, get, every, select, unit, class: kind }, broker) {
  const sensor = { ...(unit && { unit }), ...(kind && { class: kind }) }
  const sink = broker
    ? { mqtt: { topic: `uraiden/${name}`, homeAssistant: sensor } }
    : { file: `${home}/${name}.jsonl` }
  return { get, every, sinks: [{ ...sink, ...(select && { select }) }] }
}

function mqttOf({ host, port, ssl, username }) {
  const scheme = ssl ? 'mqtts' : 'mqtt'
  return {
    url: `${scheme}://${host}:${port}`,
    ...(username && { username, password: `${home}/broker-password` }),
    homeAssistant: true,
  }
}

/** Undefined where there is none, or nobody to ask. */
async function askBroker() {
  const { SUPERVISOR_TOKEN: token } = process.env
  const answer = await fetch('http://supervisor/services/mqtt', {
    headers: { authorization: `Bearer ${token}` },
  }).catch(() => undefined)
  if (answer?.ok) return (await answer.json()).data
  process.stderr.write('There is no MQTT service: what is bought goes into files in /data/agent.\n')
  return undefined
}

async function configuration() {
  if (existsSync(own)) return readFileSync(own, 'utf8')
  return agentYaml(JSON.parse(readFileSync('/data/options.json', 'utf8')), await askBroker())
}

const [, program = '', what] = process.argv
if (program.endsWith('/options.mjs')) {
  process.stdout.write(
    what === 'config' ? await configuration() : ((await askBroker())?.password ?? ''),
  )
}
