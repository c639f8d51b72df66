// What is given back is given back once, whoever gives it back and however often.
import test from 'ava'
import fc from 'fast-check'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { bookLedgers } from '../../../receiver/channels/book-ledgers.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { createChannelManager } from '../../../receiver/channels/manager.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const domain = { contract, chainId: 31337n }

const costs = fc.array(fc.bigInt(0n, 12n), { minLength: 1, maxLength: 4 })

test('calls in any number take back no more than the least cost says, also at once', async (t) => {
  const store = await openStore(await temporaryFolder(t), { ...domain, account: receiver })
  t.teardown(() => store.close())
  const book = await openBook(store)
  const manager = createChannelManager({
    ...{ ledgers: bookLedgers(book), domain },
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
  })
  let openBlock = 0
  await fc.assert(
    fc.asyncProperty(costs, costs, async (first, second) => {
      openBlock += 1
      const at = { block: openBlock, hash: `0x${openBlock}` as const }
      const opened = {
        ...({ kind: 'created', channel: { sender, receiver, openBlock }, deposit: 99n } as const),
        ...{
          block: openBlock,
          contractBlock: openBlock,
          blockHash: at.hash,
          transaction: '0x00' as const,
          logIndex: 0,
        },
      }
      await book.confirm([opened], at)
      const pay = async (balance: bigint, price: bigint) => {
        const payment = { sender, openBlock, balance, amount: price, signature }
        const outcome = await manager.registerPayment(payment, price)
        if (outcome.kind !== 'paid') throw new Error(`${balance} was not taken`)
        return outcome
      }
      const one = await pay(10n, 10n)
      const returned = await Promise.all(first.map((cost) => one.chargeOnly(cost)))
      const least = [...first, 10n].reduce((a, b) => (b < a ? b : a))
      t.is(
        returned.reduce((sum, each) => sum + each, 0n),
        10n - least,
      )
      // The credit pays for something else; what is said of the first then takes nothing from that.
      if (least < 10n) await pay(10n, 10n - least)
      const later = second.filter((cost) => cost >= least)
      for (const cost of later) t.is(await one.chargeOnly(cost), 0n)
      t.is(claimedSum(book.ledger(sender, openBlock).claims), 10n)
    }),
    { numRuns: 50 },
  )
})
