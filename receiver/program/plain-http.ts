// Where secrets would go over plain http beyond this machine: whoever listens in between has them then.
import { isLoopback } from '../../platform/system/loopback.ts'
import { printedUrl } from '../../platform/text/printed.ts'
import { adminListen } from '../server/admin/config.ts'
import type { ProgramSettings, ReceiverSettings } from './settings.ts'

export interface PlainHttp {
  /** What is spoken of, as doctor names it. */
  readonly check: 'login' | 'watchtower'
  readonly says: string
}

export function receiverOverHttp({
  admin,
  tls,
  watchtowers,
}: Pick<ReceiverSettings, 'admin' | 'tls' | 'watchtowers'>): readonly PlainHttp[] {
  const host = adminListen(admin)?.address.host
  const exposed = host !== undefined && tls === undefined && !isLoopback(host)
  const login = {
    check: 'login',
    says: `Logins go over plain http at ${host}: whoever listens in the network has the password. Set admin.listen to 127.0.0.1, or set tls.`,
  } as const
  const towers = watchtowers
    .map(({ url }) => new URL(url))
    .filter(({ protocol, hostname }) => protocol === 'http:' && !isLoopback(hostname))
    .map((url) => ({
      check: 'watchtower' as const,
      says: `Proofs and the token go to ${printedUrl(url)} over plain http: whoever listens in between has them. Give the watchtower tls, and write https.`,
    }))
  return [...(exposed ? [login] : []), ...towers]
}

export function watchtowerOverHttp({
  tls,
  listen,
}: Pick<ProgramSettings, 'tls' | 'listen'>): readonly PlainHttp[] {
  if (tls !== undefined || isLoopback(listen.host)) return []
  const says = `The receiver's proofs and token come over plain http at ${listen.host}: whoever listens in the network has them. Set tls.`
  return [{ check: 'watchtower', says }]
}
