// The ledger as the work on one of several contracts sees it: its own channels and notes, and everybody's budget.
import type { Address } from '../../protocol/index.ts'
import { leastRoom } from './ledger.ts'
import type { LedgerFacts } from './ledger-storage.ts'
import type { Ledger } from './ledger-types.ts'
import { notesUnder } from './notes.ts'
import type { ChannelEntry } from './records.ts'

const factsKey = 'facts'

/** `close` closes nothing: the ledger is the others', too. */
export function ledgerOn(ledger: Ledger, contract: Address): Ledger {
  const isFirst = ledger.contract === undefined || contract === ledger.contract
  const named = isFirst ? undefined : contract
  const prefix = isFirst ? '' : `@${contract}/`
  const isOn = (entry: Pick<ChannelEntry, 'contract'>) => entry.contract === named
  const noteOf = (intent: string | undefined) =>
    intent === undefined ? undefined : `${prefix}${intent}`
  // Those of the store's first contract have no prefix: what begins like another one's is not theirs.
  const notes = notesUnder(ledger.notes, prefix)
  return {
    contract,
    notes,
    hours: ledger.hours,
    channels: (receiver) => ledger.channels(receiver).filter(isOn),
    payable: (receiver, use) => ledger.payable(receiver, use).filter(isOn),
    withRoom: (receiver, price, use) =>
      leastRoom(ledger.payable(receiver, use).filter(isOn), price),
    transferred: (name) => ledger.transferred(name),
    setTransferred: (name, balance) => ledger.setTransferred(name, balance),
    add: (entry, intent) => ledger.add({ ...entry, contract: named }, noteOf(intent)),
    update: (name, change, intent) => ledger.update(name, change, noteOf(intent)),
    end: (name, balance, intent) => ledger.end(name, balance, noteOf(intent)),
    facts: () => (isFirst ? ledger.facts() : (notes.get(factsKey) as LedgerFacts | undefined)),
    rememberFacts: (facts) => (isFirst ? ledger.rememberFacts(facts) : notes.now(factsKey, facts)),
    flush: (beside) => ledger.flush(beside),
    beside: () => ledger.beside(),
    close: async () => undefined,
    get: (name) => ledger.get(name),
    commitment: (name) => ledger.commitment(name),
    reserved: () => ledger.reserved(),
    limits: (scopes) => ledger.limits(scopes),
    freeAt: (limit, needed) => ledger.freeAt(limit, needed),
    perDay: (receiver) => ledger.perDay(receiver),
    spentToday: () => ledger.spentToday(),
    spend: (scopes, amount) => ledger.spend(scopes, amount),
    refund: (scopes, amount, at) => ledger.refund(scopes, amount, at),
    shortfall: (receiver, purchase) => ledger.shortfall(receiver, purchase),
    take: (name, purchase) => ledger.take(name, purchase),
    settle: (taken, cost) => ledger.settle(taken, cost),
    settleAnew: (taken, charged) => ledger.settleAnew(taken, charged),
    leaveInDoubt: (taken) => ledger.leaveInDoubt(taken),
    offerAgain: (taken) => ledger.offerAgain(taken),
    takeBack: (taken) => ledger.takeBack(taken),
    correct: (name, balance) => ledger.correct(name, balance),
    assumeWorst: (name) => ledger.assumeWorst(name),
    refused: (name) => ledger.refused(name),
    accepted: (name, balance) => ledger.accepted(name, balance),
    forgetUnseen: (name, block) => ledger.forgetUnseen(name, block),
    excuse: (name) => ledger.excuse(name),
  }
}
