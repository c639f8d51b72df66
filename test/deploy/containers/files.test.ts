// What the images and compose.yaml promise, read from the files: no root, nothing written but state, pinned images,
// configurations that the programs take. That they build and run is test/containers.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { parse } from 'yaml'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { loadReceiverConfig } from '../../../receiver/program/config.ts'
import { containersFolder, readCompose, serviceOf } from '../../support/compose.ts'

const contract = '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
const programs = ['agent', 'receiver'] as const
const at = (path: string) => new URL(path, containersFolder)

interface Instruction {
  readonly name: string
  readonly rest: string
}

/** Lines that go on with a backslash are one. */
async function instructionsOf(folder: string): Promise<readonly Instruction[]> {
  const text = await readFile(at(`${folder}/Containerfile`), 'utf8')
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
      return { name, rest: rest.trim() }
    })
}

/** A version, a day, or bytes; nothing that becomes another image by itself. */
const pinned = /(:v?\d+\.\d+\.\d+|:\w+-\d{8}-slim|@sha256:[0-9a-f]{64})$/

for (const name of [...programs, 'chain']) {
  test(`${name}: the image is pinned, and runs as a user with a number who is not root`, async (t) => {
    const instructions = await instructionsOf(name)
    const all = (wanted: string) =>
      instructions.filter((each) => each.name === wanted).map(({ rest }) => rest)
    const [base = '', ...others] = all('ARG')
    t.deepEqual(others, [])
    t.regex(base, /^BASE=[a-z0-9.]+\//)
    t.regex(base, pinned)
    for (const from of all('FROM')) t.regex(from, /^\$\{BASE\}( AS \w+)?$/)
    t.deepEqual(all('USER'), ['10001:10001'])
    t.is(all('HEALTHCHECK').length, 1)
    t.regex(all('ENTRYPOINT')[0] ?? '', /^\["[\w-]+"\]$/)
    // Nothing from elsewhere, and no secret by way of the build.
    t.deepEqual(all('ADD'), [])
    t.false(instructions.some(({ rest }) => /curl|wget|PASSWORD|SECRET|--mount/.test(rest)))
    const [volume = ''] = all('VOLUME')
    const maker = all('RUN').find((rest) => rest.includes('-o 10001 -g 10001 ')) ?? ''
    t.true(maker.includes(volume), `${volume} belongs to the user`)
  })
}

test('the agent is as thrifty as its unit', async (t) => {
  const unit = await readFile(at('../pi/systemd/uraiden-agent.service'), 'utf8')
  const [, options = '', malloc = ''] =
    /^Environment=("NODE_OPTIONS=[^"]*") (.*)$/m.exec(unit) ?? []
  const environment = (await instructionsOf('agent')).filter(({ name }) => name === 'ENV')
  t.true(options.length > 10)
  t.true(
    environment.some(({ rest }) => rest === `${options.slice(1).replace('=', '="')} ${malloc}`),
    `${options} ${malloc}`,
  )
})

test('compose: each service is closed, and reached from this machine alone', async (t) => {
  const { services } = await readCompose()
  t.deepEqual(Object.keys(services).sort(), ['agent', 'chain', 'grafana', 'prometheus', 'receiver'])
  for (const [name, service] of Object.entries(services)) {
    t.regex(service.user ?? '', /^[1-9]\d*:\d+$/, name)
    t.true(service.read_only, name)
    t.deepEqual(service.cap_drop, ['ALL'], name)
    t.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
    for (const port of service.ports ?? []) t.regex(port, /^127\.0\.0\.1:\d+:\d+$/, name)
    if (service.build === undefined) t.regex(service.image, pinned, name)
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      t.true(!/PASSWORD|SECRET|KEY/.test(variable) || value.startsWith('/run/secrets/'), variable)
    }
  }
})

test('compose: every file, volume, secret and service that it names is there', async (t) => {
  const { services, volumes, secrets } = await readCompose()
  for (const [
    name,
    { build, volumes: mounts = [], secrets: used = [], ...service },
  ] of Object.entries(services)) {
    if (build !== undefined) {
      t.true(existsSync(new URL(build.dockerfile, at(`${build.context}/`))), `${name} is built`)
    }
    for (const mount of mounts) {
      const [from = '', , mode] = mount.split(':')
      if (!from.startsWith('.')) t.true(from in volumes, mount)
      else {
        t.true(existsSync(at(from)), mount)
        t.is(mode, 'ro', mount)
      }
    }
    for (const secret of used) t.true(secret in secrets, secret)
    for (const other of service.depends_on ?? []) t.true(other in services, other)
  }
  // Not in the repository: git leaves the folder out.
  const ignored = await readFile(at('../../.gitignore'), 'utf8')
  t.true(ignored.includes('deploy/containers/secrets/\n'))
})

test('both configurations are taken by their programs, and their paths are mounted', async (t) => {
  const compose = await readCompose()
  const of = {
    agent: (file: string) =>
      loadAgentConfig(file, { URAIDEN_AGENT_CONTRACT: contract, STATE_DIRECTORY: '/state' }),
    receiver: (file: string) =>
      loadReceiverConfig({
        file,
        environment: { URAIDEN_RECEIVER_CONTRACT: contract, STATE_DIRECTORY: '/state' },
      }),
  }
  for (const name of programs) {
    const file = fileURLToPath(at(`config/${name}.yaml`))
    await t.notThrowsAsync(async () => of[name](file))
    const { key, password } = parse(await readFile(file, 'utf8'))
    const { volumes = [], secrets = [] } = serviceOf(compose, name)
    t.true(volumes.includes(`./config/${name}.yaml:/etc/uraiden/${name}.yaml:ro`))
    const [volume = ''] = volumes.filter((each) => each.startsWith(`${name}:`))
    t.true(key.startsWith(`${volume.split(':')[1]}/`), key)
    t.deepEqual(
      secrets.map((secret) => `/run/secrets/${secret}`),
      [password],
    )
  }
})

test('Prometheus asks who serves metrics; Grafana finds Prometheus and the dashboard', async (t) => {
  const read = async (path: string) => parse(await readFile(at(path), 'utf8'))
  const compose = await readCompose()
  const [{ static_configs: configs }] = (await read('config/prometheus.yml')).scrape_configs
  const { ops } = await read('config/receiver.yaml')
  const { metrics } = await read('config/agent.yaml')
  const port = (listen: string) => listen.split(':')[1]
  t.deepEqual(configs[0].targets, [`receiver:${port(ops.listen)}`, `agent:${port(metrics)}`])
  // What only Prometheus reaches is published nowhere.
  for (const name of programs) {
    const ports = serviceOf(compose, name).ports ?? []
    t.false(ports.some((each) => [port(ops.listen), port(metrics)].includes(each.split(':')[2])))
  }
  const { rule_files: rules } = await read('config/prometheus.yml')
  const inside = (name: string) =>
    (serviceOf(compose, name).volumes ?? []).map((mount) => mount.split(':')[1])
  for (const rule of rules) t.true(inside('prometheus').includes(rule), rule)
  const { providers } = await read('grafana/dashboards.yaml')
  t.true(inside('grafana').includes(`${providers[0].options.path}/grafana.json`))
  const { datasources } = await read('grafana/datasources.yaml')
  t.is(datasources[0].url, 'http://prometheus:9090')
  // A dashboard from a file has no inputs: a variable of this name stands in.
  const { templating, __inputs: inputs } = JSON.parse(
    await readFile(at('../monitoring/grafana.json'), 'utf8'),
  )
  t.like(templating.list[0], { name: inputs[0].name, type: 'datasource', query: 'prometheus' })
})
