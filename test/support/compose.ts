// deploy/containers/compose.yaml, as far as tests look at it.
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

export const containersFolder = new URL('../../deploy/containers/', import.meta.url)

export interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly secrets?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: readonly string[]
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

export async function readCompose(): Promise<Compose> {
  const text = await readFile(new URL('compose.yaml', containersFolder), 'utf8')
  // Of YAML 1.1, as compose reads it.
  return parse(text, { merge: true })
}

/** One that has to be there. */
export function serviceOf({ services }: Compose, name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`)
  return service
}
