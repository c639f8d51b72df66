// The add-on's files, held to what Home Assistant documents, and what its options come to.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
// @ts-expect-error: no TypeScript, because it runs on the add-on's own Node as it is
import { agentYaml as written } from '../../../deploy/home-assistant/uraiden_agent/options.mjs'
import { version } from '../../../platform/system/version.ts'
import { temporaryFolder } from '../../support/folder.ts'

const agentYaml = written as (options: object, broker?: object) => string
const folder = new URL('../../../deploy/home-assistant/uraiden_agent/', import.meta.url)
const read = async (name: string) => readFile(new URL(name, folder), 'utf8')
const config = parse(await read('config.yaml'))

/** The keys of developers.home-assistant.io, Add-on configuration, that are used here, and what may stand there. */
const documented: Readonly<Record<string, (value: never) => boolean>> = {
  name: (value: string) => value !== '',
  version: (value: string) => value === version,
  slug: (value: string) => /^[a-z0-9_]+$/.test(value),
  description: (value: string) => value !== '',
  arch: (value: readonly string[]) =>
    value.every((each) => ['armhf', 'armv7', 'aarch64', 'amd64', 'i386'].includes(each)),
  startup: (value: string) =>
    ['initialize', 'system', 'services', 'application', 'once'].includes(value),
  boot: (value: string) => ['auto', 'manual', 'manual_only'].includes(value),
  init: (value: boolean) => typeof value === 'boolean',
  services: (value: readonly string[]) =>
    value.every((each) => /^(mqtt|mysql):(provide|want|need)$/.test(each)),
  map: (value: readonly string[]) => value.every((each) => /^[a-z_]+:(ro|rw)$/.test(each)),
  tmpfs: (value: boolean) => typeof value === 'boolean',
  timeout: (value: number) => Number.isInteger(value),
  stage: (value: string) => ['stable', 'experimental', 'deprecated'].includes(value),
  backup_exclude: (value: readonly string[]) => Array.isArray(value),
  options: (value: object) => typeof value === 'object',
  schema: (value: object) => typeof value === 'object',
}
const required = ['name', 'version', 'slug', 'description', 'arch']

/** A type of an option, as it is documented. */
const optionType =
  /^(str|bool|int|float|email|url|password|port|device|match\(.*\)|list\([^)]+\))(\([^)]*\))?\??$/

test('config.yaml has documented keys alone, with values that are documented', (t) => {
  for (const [key, value] of Object.entries(config)) {
    t.true(documented[key]?.(value as never), `${key}: ${JSON.stringify(value)}`)
  }
  for (const key of required) t.true(key in config, key)
  // No more rights than an add-on has by itself.
  for (const key of ['privileged', 'full_access', 'host_network', 'docker_api', 'hassio_role']) {
    t.false(key in config, key)
  }
})

test('options and schema are of one shape, two deep at most', (t) => {
  const { options, schema } = config
  t.deepEqual(Object.keys(options).sort(), Object.keys(schema).sort())
  for (const [name, type] of Object.entries(schema)) {
    if (typeof type === 'string') t.regex(type, optionType, name)
    else {
      const [row, ...more] = type as readonly Readonly<Record<string, string>>[]
      t.deepEqual(more, [], name)
      for (const [key, inner] of Object.entries(row ?? {})) t.regex(inner, optionType, key)
      for (const each of options[name]) {
        for (const key of Object.keys(each)) t.true(key in (row ?? {}), `${name}.${key}`)
      }
    }
  }
})

test('each option is translated, and documented', async (t) => {
  const documents = await read('DOCS.md')
  for (const name of await readdir(new URL('translations/', folder))) {
    const { configuration } = parse(await read(`translations/${name}`))
    t.deepEqual(Object.keys(configuration).sort(), Object.keys(config.schema).sort(), name)
  }
  for (const name of Object.keys(config.schema)) {
    t.true(name === 'log_level' || documents.includes(`\`${name}\``), name)
  }
})

test('there is a base for each processor, and the script may be run', async (t) => {
  const { build_from: bases } = parse(await read('build.yaml'))
  t.deepEqual(Object.keys(bases).sort(), [...config.arch].sort())
  for (const [name, base] of Object.entries(bases)) {
    t.is(base, `ghcr.io/home-assistant/${name}-base-debian:bookworm`)
  }
  t.is((await stat(new URL('run.sh', folder))).mode & 0o111, 0o111)
})

const broker = { host: 'core-mosquitto', port: 1883, ssl: false, username: 'addons', password: 'x' }
const filled = {
  ...config.options,
  rpc: 'http://192.168.1.104:8545',
  contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A',
}

for (const { what, given } of [
  { what: 'with a broker', given: broker },
  { what: 'with one that asks for nothing', given: { ...broker, username: '', password: '' } },
  { what: 'without a broker', given: undefined },
]) {
  test(`the agent takes what the options come to, ${what}`, async (t) => {
    const file = join(await temporaryFolder(t), 'agent.yaml')
    const text = agentYaml(filled, given)
    await writeFile(file, text)
    const { jobs, budget, mqtt } = await loadAgentConfig(file, {})
    t.truthy(jobs?.temperature)
    t.truthy(budget.day)
    t.is(mqtt === undefined, given === undefined)
    // Secrets are files.
    t.false(text.includes('"x"'))
  })
}

test('a restored backup brings no ledger of before', async (t) => {
  const { state } = parse(agentYaml(filled))
  const [pattern = ''] = config.backup_exclude
  // Matched from the right against names below the folder of the add-on's data, as pathlib does.
  t.true(state.endsWith(pattern.replace('*', '')), `${state} ${pattern}`)
  t.true((await read('run.sh')).includes('home=/data/agent\n'))
})
