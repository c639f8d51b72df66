// What only the process that leads can do, on any of those that share a state: the others have it do it.
import type { TransactionSender } from '../../platform/chain/index.ts'
import type { AccountJournal, Errands, Plain, Sharing } from '../channels/state.ts'
import { fromPlain, toPlain } from '../cluster/plain.ts'
import { type Relay, relayBusy } from '../settlement/relay.ts'
import type { Settlement } from '../settlement/settlement.ts'

type Work = (...given: never[]) => Promise<unknown>

/** `own`, or the same done by the leader. */
function led<Own extends Work>(sharing: Sharing, kind: string, own: Own): Own {
  return (async (...given: Parameters<Own>) =>
    sharing.isLeading()
      ? own(...given)
      : fromPlain(await sharing.ask(kind, toPlain(given)))) as unknown as Own
}

/** What was undefined is null on the way. */
function given<Given extends readonly unknown[]>(asked: Plain): Given {
  return fromPlain<readonly unknown[]>(asked).map((each) => each ?? undefined) as unknown as Given
}

export function ledSettlement(own: Settlement, sharing: Sharing | undefined): Settlement {
  if (sharing === undefined) return own
  return {
    status: own.status,
    withdrawAll: led(sharing, 'withdraw', own.withdrawAll),
    closeAll: led(sharing, 'close all', own.closeAll),
    closeChannel: led(sharing, 'close', own.closeChannel),
  }
}

export function settlementErrands(own: Settlement): Errands {
  return {
    withdraw: async (asked) => toPlain(await own.withdrawAll(...given<[]>(asked))),
    'close all': async (asked) => toPlain(await own.closeAll(...given<[]>(asked))),
    close: async (asked) =>
      toPlain(await own.closeChannel(...given<Parameters<Settlement['closeChannel']>>(asked))),
  }
}

const relayed = ['openAuthorized', 'open', 'topUp', 'close'] as const

export interface SharedRelay {
  readonly relay: Relay
  readonly errands: Errands
}

/** `open`: done again in each term, for what was sent today. */
export async function shareRelay(
  open: () => Promise<Relay>,
  sharing: Sharing | undefined,
): Promise<SharedRelay> {
  let own = await open()
  if (sharing === undefined) return { relay: own, errands: {} }
  sharing.onTerm(async () => {
    own = await open()
  })
  return { relay: ledRelay(() => own, fewAtOnce(sharing)), errands: relayErrands(() => own) }
}

/** As many as a relay lets wait when nothing else is said. */
const mostAsked = 16

/** A stranger may ask: whether it is his to ask for the leader says, and each question costs the database. */
function fewAtOnce(sharing: Sharing): Sharing {
  let asked = 0
  return {
    ...sharing,
    ask: async (kind, what) => {
      if (asked >= mostAsked) throw relayBusy()
      asked++
      try {
        return await sharing.ask(kind, what)
      } finally {
        asked--
      }
    },
  }
}

function ledRelay(own: () => Relay, sharing: Sharing): Relay {
  const by = <Name extends (typeof relayed)[number]>(name: Name): Relay[Name] =>
    led(sharing, `relay ${name}`, ((request: never) => own()[name](request)) as Relay[Name])
  return {
    takesAuthorizations: own().takesAuthorizations,
    openAuthorized: by('openAuthorized'),
    open: by('open'),
    topUp: by('topUp'),
    close: by('close'),
  }
}

function relayErrands(own: () => Relay): Errands {
  return Object.fromEntries(
    relayed.map((name) => [
      `relay ${name}`,
      async (asked: Plain, operation: string) => {
        const [request] = given<[never]>(asked)
        return own()[name](request, operation)
      },
    ]),
  )
}

/** Who asked the leader before may be gone: what it has sent is seen through by the next one. */
export function goOnWith(
  sharing: Sharing | undefined,
  journal: AccountJournal,
  {
    transactions,
    onFailure,
  }: {
    readonly transactions: Pick<TransactionSender, 'resume'>
    readonly onFailure: (error: unknown) => void
  },
): void {
  sharing?.onTerm(async () => {
    for (const operation of (await journal.unasked?.()) ?? []) {
      void transactions.resume(operation).catch(onFailure)
    }
  })
}
