// The part `admin:` of the receiver's configuration.

import { join } from 'node:path'
import { z } from 'zod'
import {
  type ListenAddress,
  listenAddress,
  parsed,
  seconds,
} from '../../../platform/config/index.ts'
import { receiverError } from '../../errors/index.ts'
import { parseSecretHash } from './secrets.ts'

const name = z.string().regex(/^[A-Za-z0-9_@-]{1,64}$/, {
  error: 'a name has 1 to 64 letters, digits, _, @ or -.',
})

const secrets = z.record(name, parsed(parseSecretHash)).default({})

/** A path, or `off`. */
const socketPath = parsed((text) => {
  if (text !== '') return text
  throw receiverError({
    code: 'not_a_path',
    message: '"" is not a path.',
    hint: 'Write the path of a socket, or off.',
  })
})

export const adminSchema = z.strictObject({
  listen: z
    .union([z.literal('off'), listenAddress])
    .optional()
    .describe('for the dashboard and its API, never that of what is sold (127.0.0.1:9404); or off'),
  users: secrets.describe('passwords as `uraiden-receiver admin hash` writes them, by user'),
  tokens: secrets.describe('for programs, as `uraiden-receiver admin token` writes them, by name'),
  attempts: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('passwords and tokens that one address may try in ten minutes'),
  sessionLifetime: seconds(1, 86_400)
    .default(600)
    .describe('seconds after its last use until a login ends'),
  socket: socketPath
    .optional()
    .describe('for commands on this machine; off for none. By default in the state folder'),
})

export type AdminConfig = z.output<typeof adminSchema>

/** Of this machine only: whoever is elsewhere comes over SSH, or the configuration says another one. */
const usualListen: ListenAddress = { host: '127.0.0.1', port: 9404 }

/** Where it is administered over the network; undefined when nobody may log in, or it is off. */
export function adminListen(
  config: Pick<AdminConfig, 'listen' | 'users' | 'tokens'>,
): { readonly address: ListenAddress; readonly is: 'named' | 'usual' } | undefined {
  const { listen, users, tokens } = config
  if (listen === 'off') return undefined
  if (listen !== undefined) return { address: listen, is: 'named' }
  const isUsed = Object.keys({ ...users, ...tokens }).length > 0
  return isUsed ? { address: usualListen, is: 'usual' } : undefined
}

/**
 * Where the receiver's own commands find it while it runs: in the state folder, which nobody else can
 * enter; undefined when it is off.
 */
export function controlSocket(
  { socket }: Pick<AdminConfig, 'socket'>,
  stateFolder: string,
): string | undefined {
  return socket === 'off' ? undefined : (socket ?? join(stateFolder, 'control.sock'))
}
