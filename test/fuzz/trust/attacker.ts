// Somebody on the way who sees and changes everything, and asks the receiver for what everybody may.
import { createLocks } from '../../../platform/async/locks.ts'
import {
  type Asked,
  type Endings,
  field,
  forward,
  inTheMiddle,
  type Said,
} from '../../support/bound-receiver.ts'
import { changeAnswer, changeRequest, forged, pickOf, type Seen, withBody } from './changes.ts'
import type { Attack, Meddling, MessageKind, Purchase } from './schedule.ts'

/** What the agent has sent, and what reached it. */
export interface Exchange {
  readonly asked: Asked
  readonly kind: MessageKind
  readonly purchase: number | undefined
  /** What the receiver said to it as it was sent; undefined where it did not get it so. */
  readonly said: Said | undefined
  /** What the agent was told. */
  readonly told: Said | undefined
}

/** What the attacker wants to do to messages now. */
export interface Orders {
  readonly purchases: readonly Purchase[]
  readonly closing: readonly Meddling[]
}

export class Attacker {
  readonly exchanges: Exchange[] = []
  readonly #target: () => string
  readonly #resign: (asked: Asked, said: Said) => Said
  readonly #channelPath: string
  readonly #locks = createLocks()
  /** Before the orders of now: what is chosen from it does not depend on who is first. */
  #seen: readonly Seen[] = []
  #newlySeen: Seen[] = []
  #orders: Orders = { purchases: [], closing: [] }
  #counts = new Map<string, number>()
  origin = ''

  constructor(given: {
    readonly target: () => string
    readonly channelPath: string
    /** With stolen keys. */
    readonly resign: (asked: Asked, said: Said) => Said
  }) {
    this.#target = given.target
    this.#channelPath = given.channelPath
    this.#resign = given.resign
  }

  async start(t: Endings): Promise<void> {
    // One message after the other, with all that is done about it.
    this.origin = await inTheMiddle(t, (asked) =>
      this.#locks.alone('message', () => this.#handle(asked)),
    )
  }

  order(orders: Orders): void {
    this.#seen = [...this.#seen, ...this.#newlySeen]
    this.#newlySeen = []
    this.#orders = orders
    this.#counts = new Map()
  }

  /** One after the other. */
  async attack(attacks: readonly Attack[]): Promise<void> {
    for (const each of attacks) {
      for (const asked of this.#requestsOf(each)) await this.#send(asked)
    }
  }

  async #handle(asked: Asked): Promise<Said | undefined> {
    const { kind, purchase } = this.#nameOf(asked)
    const meddling = this.#meddlingFor(kind, purchase)
    const note = { asked, kind, purchase }
    if (meddling === undefined) {
      const said = await this.#send(asked)
      this.#note({ asked, said })
      this.exchanges.push({ ...note, said, told: said })
      return said
    }
    await this.attack(meddling.before)
    const changed = meddling.request.reduce((each, change) => {
      return changeRequest(each, change, this.#seen)
    }, asked)
    const lost = meddling.lost !== undefined
    const said = lost ? undefined : await this.#send(changed)
    if (meddling.late) await this.#send(asked)
    this.#note({ asked, said })
    await this.attack(meddling.after)
    const told = this.#toldOf(meddling, asked, said)
    const isOwn = changed === asked && !lost
    this.exchanges.push({ ...note, said: isOwn ? said : undefined, told })
    return told
  }

  /** With one purchase at a time what was just seen can be used at once. */
  #note(seen: Seen): void {
    if (this.#orders.purchases.length > 1) this.#newlySeen.push(seen)
    else this.#seen = [...this.#seen, seen]
  }

  #toldOf(meddling: Meddling, asked: Asked, said: Said | undefined): Said | undefined {
    if (meddling.lost === 'forged') return this.#resign(asked, forged(meddling.pick))
    if (said === undefined || meddling.answerLost) return undefined
    if (meddling.answer.length === 0) return said
    const changed = meddling.answer.reduce((each, change) => {
      return changeAnswer(each, change, this.#seen)
    }, said)
    return this.#resign(asked, changed)
  }

  #meddlingFor(kind: MessageKind, purchase: number | undefined): Meddling | undefined {
    const { purchases, closing } = this.#orders
    const own = purchase ?? (purchases.length === 1 ? purchases[0]?.id : undefined)
    const name = `${kind} ${own}`
    const count = this.#counts.get(name) ?? 0
    this.#counts.set(name, count + 1)
    if (purchases.length === 0) return closing[count]
    return purchases.find(({ id }) => id === own)?.meddling[kind]?.[count]
  }

  #nameOf({ method, path, fields }: Asked): Pick<Exchange, 'kind' | 'purchase'> {
    const id = /^\/r\/\w+\/(\d+)/.exec(path)?.[1]
    if (id !== undefined) {
      const paid = field({ fields }, 'rdn-balance') !== ''
      return { kind: paid ? 'payment' : 'terms', purchase: Number(id) }
    }
    const kind =
      method === 'DELETE'
        ? 'close'
        : method === 'PUT'
          ? 'put'
          : path.includes('/answers/')
            ? 'receipt'
            : 'offer'
    return { kind, purchase: undefined }
  }

  /** What cannot be sent, or breaks off, has no answer. */
  async #send(asked: Asked): Promise<Said | undefined> {
    try {
      return await forward(this.#target(), asked)
    } catch {
      return undefined
    }
  }

  #requestsOf(attack: Attack): readonly Asked[] {
    const { pick } = attack
    switch (attack.kind) {
      case 'replay': {
        const asked = pickOf(this.#seen, pick)?.asked
        if (asked === undefined) return []
        const changed = attack.changes.reduce((each, change) => {
          return changeRequest(each, change, this.#seen)
        }, asked)
        return Array.from({ length: attack.times }, () => changed)
      }
      case 'look': {
        const paths = ['', '/request-key', `/channels/`, this.#channelPath, '/stats']
        return [this.#bare('GET', `/api/1${pickOf(paths, pick) ?? ''}`)]
      }
      case 'close':
        return [this.#closing(attack.form, pick)]
      case 'own key': {
        const put = this.#seen.find(({ asked }) => asked.method === 'PUT')?.asked
        return put === undefined
          ? []
          : [withBody(put, put.body.toString().replace(/"02|"03/, '"04'))]
      }
    }
  }

  /** At a balance that was seen on its way. */
  #closing(form: 'json' | 'query' | 'form', pick: number): Asked {
    const balances = this.#seen.flatMap(({ asked, said }) => [
      field(asked, 'rdn-balance'),
      said === undefined ? '' : field(said, 'rdn-sender-balance'),
    ])
    const known = balances.filter((each) => each !== '')
    const balance = pickOf(known, pick) ?? '5'
    const path = `/api/1${this.#channelPath}`
    if (form === 'query') return this.#bare('DELETE', `${path}?balance=${balance}`)
    const isJson = form === 'json'
    const asked = this.#bare('DELETE', path)
    const type = isJson ? 'application/json' : 'application/x-www-form-urlencoded'
    const body = isJson ? `{"balance":"${balance}"}` : `balance=${balance}`
    return withBody({ ...asked, fields: [...asked.fields, ['Content-Type', type]] }, body)
  }

  #bare(method: string, path: string): Asked {
    return { method, path, fields: [['Host', 'receiver']], body: Buffer.of() }
  }
}
