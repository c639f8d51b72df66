// Where a PostgreSQL server's programs are: Debian keeps them off the path.
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const debian = '/usr/lib/postgresql'

/** The folder of `postgres` and `initdb`, the newest version's first; undefined when there is none. */
export function findPostgres(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const packaged = versions().map((version) => join(debian, version, 'bin'))
  const onPath = (environment.PATH ?? '').split(delimiter)
  return [...packaged, ...onPath].find((folder) =>
    ['postgres', 'initdb'].every((program) => isExecutable(join(folder, program))),
  )
}

function versions(): readonly string[] {
  try {
    return readdirSync(debian).sort((a, b) => Number(b) - Number(a))
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
