// Relative paths of agent.yaml. They are meant from the folder of the file, as in receiver.yaml. Until version 0.1 they
// were meant from where the program is started: what is only there is still found there.
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, normalize, resolve } from 'node:path'
import { defined } from '../../../protocol/index.ts'
import type { SinkConfig } from '../../jobs/sinks/schema.ts'
import { variables } from './places.ts'

type At = (path: string) => string
type Maybe = string | undefined

/** What of a configuration holds paths. */
interface WithPaths {
  readonly key: string
  readonly password?: Maybe
  readonly state?: Maybe
  readonly control: { readonly socket?: Maybe }
  readonly tls?: { readonly authority?: Maybe; readonly pinned?: Maybe } | undefined
  readonly page?: { readonly token?: Maybe } | undefined
  readonly mqtt?: BrokerPaths | undefined
  readonly proxy?:
    | { readonly socket?: Maybe; readonly programs: Named<{ readonly token: string }> }
    | undefined
  readonly alerts?: { readonly sinks: readonly SinkConfig[] } | undefined
  readonly jobs: Named<{ readonly sinks: readonly SinkConfig[] }>
}

interface BrokerPaths {
  readonly password?: Maybe
  readonly ca?: Maybe
  readonly cert?: Maybe
  readonly certKey?: Maybe
}

type Named<Value> = Readonly<Record<string, Value>>

/** With every path as it is to be opened. */
export function withPaths<Config extends WithPaths>(
  config: Config,
  file: string,
  environment: NodeJS.ProcessEnv,
): Config {
  return mapped(config, pathsOf(file, environment))
}

/** How a path that is written in this file is to be opened. */
export function pathsOf(file: string, environment: NodeJS.ProcessEnv): At {
  const folder = dirname(resolve(file))
  if (folder === process.cwd()) return (path) => path
  const given = new Set(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith(variables.prefix) && value !== undefined ? [value] : [],
    ),
  )
  return (path) => {
    // A variable is of who starts the program.
    if (isAbsolute(path) || given.has(path) || isOnlyAtStart(path, folder)) return path
    return resolve(folder, path)
  }
}

/** Those of a configuration that are found where the program was started, and not beside the file. */
export function pathsFromStart(config: WithPaths, file: string): readonly string[] {
  const folder = dirname(resolve(file))
  if (folder === process.cwd()) return []
  const found = new Set<string>()
  mapped(config, (path) => {
    if (!isAbsolute(path) && isOnlyAtStart(path, folder)) found.add(path)
    return path
  })
  return [...found]
}

/** The file itself, or the folder that it will be in: one that is written may not be there now. */
function isOnlyAtStart(path: string, folder: string): boolean {
  const [first = path] = normalize(path).split('/')
  return [path, first].some((each) => {
    return existsSync(resolve(each)) && !existsSync(resolve(folder, each))
  })
}

function mapped<Config extends WithPaths>(config: Config, at: At): Config {
  const { key, password, state, tls, proxy, page, control, mqtt, alerts, jobs } = config
  const maybe = (path: string | undefined) => (path === undefined ? undefined : at(path))
  const sinks = (each: readonly SinkConfig[]) => each.map((sink) => sinkAt(sink, at))
  return {
    ...config,
    key: at(key),
    ...defined({ password: maybe(password), state: maybe(state) }),
    control: { ...control, ...defined({ socket: maybe(control.socket) }) },
    ...(tls && {
      tls: { ...tls, ...defined({ authority: maybe(tls.authority), pinned: maybe(tls.pinned) }) },
    }),
    ...(page && { page: { ...page, ...defined({ token: maybe(page.token) }) } }),
    ...(mqtt && { mqtt: { ...mqtt, ...brokerPaths(mqtt, maybe) } }),
    ...(proxy && {
      proxy: {
        ...proxy,
        ...defined({ socket: maybe(proxy.socket) }),
        programs: mapValues(proxy.programs, (each) => ({ ...each, token: at(each.token) })),
      },
    }),
    ...(alerts && { alerts: { ...alerts, sinks: sinks(alerts.sinks) } }),
    jobs: mapValues(jobs, (job) => ({ ...job, sinks: sinks(job.sinks) })),
  }
}

function brokerPaths(
  { password, ca, cert, certKey }: BrokerPaths,
  maybe: (path: string | undefined) => string | undefined,
) {
  return defined({
    ...{ password: maybe(password), ca: maybe(ca) },
    ...{ cert: maybe(cert), certKey: maybe(certKey) },
  })
}

function sinkAt(sink: SinkConfig, at: At): SinkConfig {
  const { file, csv, influx, webhook } = sink
  const maybe = (path: string | undefined) => (path === undefined ? undefined : at(path))
  return {
    ...sink,
    ...defined({ file: maybe(file) }),
    ...(csv && { csv: { ...csv, path: at(csv.path) } }),
    ...(influx && {
      influx: {
        ...influx,
        ...defined({ token: maybe(influx.token), password: maybe(influx.password) }),
      },
    }),
    ...(webhook && {
      webhook: {
        ...webhook,
        ...defined({ urlFile: maybe(webhook.urlFile), headersFile: maybe(webhook.headersFile) }),
      },
    }),
  }
}

function mapValues<Value>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
