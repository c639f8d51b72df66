// The proxy as the configuration wants it, and how it follows a new one without losing its port.
import { parseAmount, type TokenUnit } from '../../../protocol/index.ts'
import type { Agent } from '../../options.ts'
import type { Program } from '../../proxy/programs.ts'
import {
  type LocalProxy,
  type ProxyOptions,
  type ReceiverPlaces,
  startProxy,
} from '../../proxy/server.ts'
import type { AgentConfig } from '../configuration/config.ts'
import { readToken } from './token-file.ts'

export interface ProxyPartOptions {
  readonly stream: Agent['stream']
  readonly token: TokenUnit
  readonly receivers: ReceiverPlaces
  readonly onDefect: (error: unknown) => void
}

/**
 * Undefined where the configuration wants no proxy. Reads the programs' tokens.
 * @throws UraidenError those of `readToken` and `parseAmount`
 */
export async function proxyOptions(
  { proxy, timeout }: AgentConfig,
  options: ProxyPartOptions,
): Promise<ProxyOptions | undefined> {
  if (proxy === undefined) return undefined
  const { listen, socket, socketFor, programs, others, connect, mostBody, mostAtOnce } = proxy
  const known = await Promise.all(
    Object.entries(programs).map(([name, program]) => readProgram(name, program, options.token)),
  )
  return {
    ...options,
    listen,
    ...(socket !== undefined && { socket: { path: socket, access: socketFor } }),
    programs: known,
    withoutToken: proxy.withoutToken ?? (known.length === 0 ? 'pay' : 'refuse'),
    others,
    connect,
    timeout: (proxy.timeout ?? timeout) * 1000,
    mostBody,
    mostAtOnce,
  }
}

async function readProgram(
  name: string,
  { token: file, request }: NonNullable<AgentConfig['proxy']>['programs'][string],
  unit: TokenUnit,
): Promise<Program> {
  const token = await readToken(`proxy.programs.${name}.token`, file)
  const mostPrice = request === undefined ? undefined : parseAmount(request, unit)
  return { name, token, ...(mostPrice !== undefined && { mostPrice }) }
}

/** The proxy after a change of options: the same one where its places stay. */
export async function changedProxy(
  old: LocalProxy | undefined,
  options: ProxyOptions | undefined,
  grace: number,
): Promise<LocalProxy | undefined> {
  if (old !== undefined && options !== undefined && old.isAt(options)) {
    old.change(options)
    return old
  }
  const next = options === undefined ? undefined : await startProxy(options)
  // What is under way there goes on.
  void old?.close(grace)
  return next
}
