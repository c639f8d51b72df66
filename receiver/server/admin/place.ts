// Where the receiver's own commands find it while it runs.
import { join } from 'node:path'
import type { AdminConfig } from './config.ts'

/** In the state folder, which nobody else can enter; undefined when it is off. */
export function controlSocket(
  { socket }: Pick<AdminConfig, 'socket'>,
  stateFolder: string,
): string | undefined {
  return socket === 'off' ? undefined : (socket ?? join(stateFolder, 'control.sock'))
}
