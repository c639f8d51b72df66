// Who listens to the book hears of every ledger, whoever puts it.
import test from 'ava'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { bookLedgers } from '../../../receiver/channels/book-ledgers.ts'
import { createChannelManager } from '../../../receiver/channels/manager.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const domain = { contract, chainId: 31337n }

test('a listener is told of payments, of what is given back and of closes, and finds them in the book', async (t) => {
  const store = await openStore(await temporaryFolder(t), { ...domain, account: receiver })
  t.teardown(() => store.close())
  const book = await openBook(store)
  const opened = {
    ...({ kind: 'created', channel: { sender, receiver, openBlock: 7 }, deposit: 100n } as const),
    ...({
      block: 7,
      contractBlock: 7,
      blockHash: '0x07',
      transaction: '0x00',
      logIndex: 0,
    } as const),
  }
  await book.confirm([opened], { block: 7, hash: '0x07' })
  const heard: string[] = []
  book.listen((address, openBlock) => {
    const { claims, agreedToClose } = book.ledger(address, openBlock)
    const credit = claims.unclaimed.map(({ from, to }) => `${from}-${to}`)
    heard.push([claims.highest, ...credit, agreedToClose].join(' '))
  })
  const second: number[] = []
  book.listen((_, openBlock) => void second.push(openBlock))
  const manager = createChannelManager({
    ...{ ledgers: bookLedgers(book), domain },
    checker: { formOf: async () => 'eip712' },
    signer: { address: receiver, sign: async () => signature },
  })
  const paid = await manager.registerPayment({ sender, openBlock: 7, balance: 5n, signature }, 5n)
  if (paid.kind === 'paid') await paid.chargeOnly(3n)
  await manager.agreeToClose(sender, 7, 5n)
  t.deepEqual(heard, ['5 false', '5 3-5 false', '5 3-5 true'])
  t.deepEqual(second, [7, 7, 7])
})
