// What must hold after every step, whatever the attacker did: nobody but the sender spends, the sender pays only
// for what it asked, the receiver gets what it served.
import { isProofOf } from '../../support/best-proof.ts'
import { field } from '../../support/bound-receiver.ts'
import { chainId, contract, sender, terms } from '../../support/lying-receiver.ts'
import type { Scene } from './scene.ts'
import { chosenBy, type Served } from './shop.ts'

const openBlock = 7

/** What was claimed is what was served, and that is what the agent asked for. */
export function auditMoney({ shop, attacker, troubles, purchases }: Scene): void {
  const { claims, proof } = shop.receiver.book.ledger(sender, openBlock)
  const left = claims.unclaimed.reduce((sum, { from, to }) => sum + to - from, 0n)
  const claimed = claims.highest - left
  const due = shop.served.reduce((sum, { cost }) => sum + cost, 0n)
  if (claimed < due) troubles.push(`the receiver served for ${due} and has ${claimed}`)
  const asked = attacker.exchanges.filter(({ kind }) => kind === 'payment')
  const offered = asked.map((each) => BigInt(field(each.asked, 'rdn-balance')))
  const highest = offered.reduce((a, b) => (b > a ? b : a), 0n)
  if (claims.highest > highest) {
    troubles.push(`the receiver has ${claims.highest}, the agent never sent more than ${highest}`)
  }
  const times = new Map<number, number>()
  for (const each of shop.served) {
    times.set(each.id, (times.get(each.id) ?? 0) + 1)
    const wanted = purchases.find(({ id }) => id === each.id)
    const exchange = asked.find(({ purchase }) => purchase === each.id)?.asked
    if (wanted === undefined || exchange === undefined || !isSame(each, exchange)) {
      troubles.push(`nobody asked for ${JSON.stringify({ ...each, price: 0, cost: 0 })}`)
    }
  }
  // What failed has cost nothing, and may be asked for again.
  const paid = shop.served.filter(({ cost }) => cost > 0n)
  for (const [id, count] of times) {
    const price = paid.filter((each) => each.id === id).length
    if (price > 1) troubles.push(`purchase ${id} was served ${count} times`)
  }
  const most = shop.served.reduce((sum, { price, cost }) => sum + (cost > 0n ? price : 0n), 0n)
  if (claimed > most) troubles.push(`${claimed} was claimed, and no more than ${most} served`)
  const channel = { sender, receiver: terms.receiver, openBlock }
  const domain = { chainId, contract }
  const proven =
    claims.highest === 0n || (proof && isProofOf(claims.highest, proof, { domain, channel }))
  if (!proven) troubles.push(`there is no proof of ${claims.highest}`)
}

function isSame(
  { method, url, body, chosen }: Served,
  asked: Scene['attacker']['exchanges'][number]['asked'],
): boolean {
  const lines = asked.fields.map(([name, value]) => [name.toLowerCase(), value] as const)
  const sent = chosenBy(Object.fromEntries(lines))
  const own = method === asked.method && url === asked.path && body === asked.body.toString()
  return own && JSON.stringify(sent) === JSON.stringify(chosen)
}

/** One price was signed for a purchase, and another one only after the receiver itself has refused. */
export function auditSignatures({ attacker, agent, shop, troubles }: Scene): void {
  const payments = attacker.exchanges.filter(({ kind }) => kind === 'payment')
  for (const id of new Set(payments.map(({ purchase }) => purchase))) {
    const own = payments.filter(({ purchase }) => purchase === id)
    const balances = new Set(own.map(({ asked }) => field(asked, 'rdn-balance'))).size
    // Codings and fields that nobody signs may have been added to them.
    const refusals = own.filter(
      ({ said, told }) => said?.status === 402 && told?.status === 402,
    ).length
    if (balances > 1 + refusals) {
      troubles.push(`purchase ${id}: ${balances} balances were signed after ${refusals} refusals`)
    }
  }
  const { reserved } = agent.budget()
  const { claims } = shop.receiver.book.ledger(sender, openBlock)
  if (reserved < claims.highest) {
    troubles.push(`the agent knows of ${reserved}, the receiver of ${claims.highest}`)
  }
}

export function auditClosing({ shop, closing, troubles }: Scene): void {
  const channel = shop.receiver.book.get(sender, openBlock)
  if (channel?.agreedToClose !== undefined && channel.agreedToClose !== false && !closing) {
    troubles.push(`the receiver agreed to a close that the sender did not ask for`)
  }
}

/** Whatever a program was handed out is what the receiver has served it, and costs what that did. */
export function auditDelivery({ bought, shop, troubles }: Scene): void {
  for (const { purchase, status, content, cost, price, authentic } of bought) {
    const { id, method } = purchase
    const say = (what: string) => troubles.push(`purchase ${id}: ${what}`)
    if (price === undefined) {
      // Nothing was paid: nothing is promised of it.
      continue
    }
    const served = shop.served.find((each) => each.id === id)
    if (authentic !== true) say('it was paid for, and is not authentic')
    if (served === undefined) say('it was paid for, and never served')
    else {
      const expected = method === 'HEAD' ? '' : served.content
      if (status !== served.status) say(`status ${status} in place of ${served.status}`)
      if (content !== expected && status < 500) say(`content ${content.slice(0, 40)}`)
      if (price !== served.price) say(`price ${price} in place of ${served.price}`)
      if (cost !== undefined && cost !== served.cost) say(`cost ${cost} in place of ${served.cost}`)
    }
  }
}
