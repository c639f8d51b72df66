// Where a program finds its configuration and its state when nobody says so.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A person's own file (XDG Base Directory) when there is one, else the system's. */
export function usualConfigFile(name: string, environment: NodeJS.ProcessEnv): string {
  const folder = environment.XDG_CONFIG_HOME ?? join(homedir(), '.config')
  const own = join(folder, 'uraiden', name)
  return existsSync(own) ? own : `/etc/uraiden/${name}`
}

/** systemd names its folder in STATE_DIRECTORY; a person's own is where XDG says. */
export function usualStateFolder(program: string, environment: NodeJS.ProcessEnv): string {
  const home = environment.XDG_STATE_HOME ?? join(homedir(), '.local/state')
  return environment.STATE_DIRECTORY ?? join(home, program)
}
