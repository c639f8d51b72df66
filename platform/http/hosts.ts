// Which names are ours. A name of somebody else's that leads to our address makes his page one of our own
// in a browser (DNS rebinding); the header Host still says his name.
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

export interface OwnHosts {
  /** Whether a request that names this `Host` may mean us. Without one, no browser sent it. */
  readonly isOurs: (host: string | undefined) => boolean
  /** Whether a page of this `Origin` is one that we serve, perhaps behind a proxy that changes Host. */
  readonly isOurPage: (origin: string, host: string | undefined) => boolean
}

export interface HostOptions {
  /** `shop.example.org`, `*.example.org`; `*` is all. */
  readonly names: readonly string[]
  /** Of this machine. */
  readonly machine?: string
}

/**
 * Addresses are ours, because nobody can make one lead elsewhere; and so are localhost, the names of the
 * local network (RFC 6762), this machine's own, and those that are configured.
 */
export function createHosts({ names, machine = hostname() }: HostOptions): OwnHosts {
  const isAll = names.includes('*')
  const own = machine.toLowerCase()
  const named = [...names, own, own.split('.')[0] ?? own]
  const exact = new Set(named.map((name) => name.toLowerCase()))
  const endings = names.flatMap((name) => (name.startsWith('*.') ? [name.slice(1)] : []))
  const isNamed = (name: string) =>
    exact.has(name) || endings.some((ending) => name.endsWith(ending.toLowerCase()))
  const isOurs = (host: string | undefined): boolean => {
    const name = nameOf(host)
    return isAll || name === '' || isIP(name) !== 0 || isLocal(name) || isNamed(name)
  }
  return {
    isOurs,
    isOurPage: (origin, host) => {
      if (isAll) return true
      if (!URL.canParse(origin)) return false
      const page = new URL(origin)
      if (page.host === host?.toLowerCase()) return isOurs(host)
      const name = nameOf(page.host)
      return isNamed(name) || isOwnAddress(name)
    },
  }
}

/** Without port, brackets and the dot of the root. */
function nameOf(host = ''): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? []
  // What is not a host is no name of ours.
  if (bracketed === undefined && plain === '' && host !== '') return '?'
  return (bracketed ?? plain).toLowerCase().replace(/\.$/, '')
}

function isLocal(name: string): boolean {
  return /(^|\.)(localhost|local)$/.test(name) && name !== 'local'
}

function isOwnAddress(name: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.some(({ address }) => address === name)
}
