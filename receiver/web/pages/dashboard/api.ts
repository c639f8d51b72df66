// The administrator's API as the dashboard uses it.
import { Refusal, tabToken } from '../../../../platform/web/pages/session.ts'

export interface Stats {
  readonly channels: { readonly [state: string]: number }
  readonly unique_senders: number
  readonly deposit_sum: string
  readonly uncollected_sum: string
  readonly at_risk_sum: string
  readonly lost_sum: string
  readonly dishonest_closes: readonly {
    readonly sender_address: string
    readonly sender_name: string | null
    readonly open_block: string
    readonly stake: string
    readonly settle_block: number
    readonly answer: string
  }[]
  readonly liquid_balance: string
  readonly ether_balance: string | null
  readonly token_symbol: string
  readonly token_decimals: number
  readonly chain_head: number | null
  readonly contract_head: number | null
  readonly seconds_per_block: number | null
  readonly chain_synced: number | null
  readonly chain_age_seconds: number | null
  readonly node_answers: boolean
}

export interface Channel {
  readonly sender_address: string
  /** What the receiver’s owner calls the sender. */
  readonly sender_name: string | null
  readonly open_block: string
  readonly state: string
  readonly deposit: string
  readonly balance: string
  readonly due: string
  /** While closing. */
  readonly settle_block: number | null
}

export interface Price {
  readonly path: string
  readonly methods: readonly string[]
  readonly price: string
}

export interface IncomeHour {
  readonly start: number
  readonly total: string
}

/** Of one resource in one hour or day. */
export interface ResourceCounts {
  readonly start: number
  readonly path: string
  readonly paid: number
  readonly income: string
  readonly failed: number
  readonly repeated: number
  readonly refused: { readonly [code: string]: number }
}

export interface Collection {
  readonly planned: readonly unknown[]
  readonly planned_sum: string
  readonly expected_fee_wei: string
  readonly sum: string
}

export const token = tabToken('uraiden-admin-token')

/** @throws Refusal */
export async function logIn(user: string, password: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${user}:${password}`)
  const authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`
  const answer = await checked(await request('/login', { headers: { authorization } }))
  const given = (await answer.json()) as { readonly token: string }
  token.save(given.token)
}

/** @throws Refusal */
export async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await checked(await request(path, { ...init, headers: headers(init) }))
  return answer.json() as Promise<Answer>
}

/** A part of a list. */
export interface ListPage<Item> {
  readonly items: readonly Item[]
  /** Of all parts. */
  readonly total: number
  /** Of the next part, under the gateway path; undefined in the last one. */
  readonly next: string | undefined
}

/** @throws Refusal */
export async function askPage<Item>(path: string): Promise<ListPage<Item>> {
  const answer = await checked(await request(path, { headers: headers({}) }))
  const [, link] = /<\/api\/1([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '') ?? []
  const items = (await answer.json()) as readonly Item[]
  return { items, total: Number(answer.headers.get('x-total-count')), next: link }
}

/** @throws Refusal */
export function post<Answer>(path: string, body: object): Promise<Answer> {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/**
 * Tells of the statistics whenever they change; resolves when the stream ends.
 * @throws Refusal, and what fetch throws
 */
export async function followStats(
  told: (stats: Stats) => void,
  signal: AbortSignal,
): Promise<void> {
  const answer = await checked(await request('/admin/events', { headers: headers({}), signal }))
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
    if (done) return
    const events = (rest + value).split('\n\n')
    rest = events.pop() ?? ''
    const last = events.filter((event) => event.startsWith('data: ')).at(-1)
    if (last !== undefined) told(JSON.parse(last.slice('data: '.length)))
  }
}

/** Without credentials the browser keeps its own dialogue for passwords to itself. */
function request(path: string, init: RequestInit): Promise<Response> {
  return fetch(`/api/1${path}`, { ...init, credentials: 'omit', cache: 'no-store' })
}

function headers({ headers: more }: RequestInit): Record<string, string> {
  return {
    ...(more as Record<string, string> | undefined),
    accept: 'application/json',
    authorization: `Bearer ${token.saved() ?? ''}`,
  }
}

async function checked(answer: Response): Promise<Response> {
  if (answer.ok) return answer
  const problem = (await answer.json().catch(() => ({}))) as { readonly detail?: string }
  throw new Refusal(answer.status, problem.detail ?? `The receiver answered ${answer.status}.`)
}
