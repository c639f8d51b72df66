// A device without ether: it signs, the receiver sends (wire-protocol.md section 8, relay).
import test, { type ExecutionContext } from 'ava'
import { authoriseDeposit } from '../../../agent/channels/authorise.ts'
import { connectChain } from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import type { ReceiverOptions } from '../../../receiver/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { readChain } from '../../support/chain-read.ts'
import { startSystem } from '../../support/system.ts'

async function given(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const system = await startSystem(t, undefined, { relay: { leastDeposit: 10n }, ...options })
  const { chain, contract, base, receiver, senderAccount, receiverAccount } = system
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const domain = { contract, chainId: chain.chainId }
  const parties = { sender: senderAccount.address, receiver: receiverAccount.address }
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${base}/api/1/relay/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, string> }
  }
  const signed = async (amount: bigint, openBlock?: number) => {
    const deposit = { ...parties, amount, ...(openBlock !== undefined && { openBlock }) }
    const { permit, signature } = await authoriseDeposit({ client, signer }, deposit)
    const common = {
      sender_address: parties.sender,
      receiver_address: parties.receiver,
      deadline: `${permit.deadline}`,
      permit_signature: permit.signature,
    }
    return openBlock === undefined
      ? { ...common, deposit: `${amount}`, open_signature: signature }
      : {
          ...common,
          open_block: `${openBlock}`,
          added_deposit: `${amount}`,
          top_up_signature: signature,
        }
  }
  const mined = async (hash: string | undefined) => {
    const receipt = await chain.provider.waitForTransaction(hash ?? '')
    t.is(receipt?.status, 1)
    t.is(receipt?.from, receiver.address)
    return Number(receipt?.blockNumber)
  }
  return { ...system, client, domain, parties, post, signed, mined }
}

test('opens, tops up and closes for a sender without ether, who signs everything', async (t) => {
  const {
    base,
    chain,
    client,
    domain,
    parties,
    post,
    signed,
    mined,
    receiver,
    senderAccount,
    tokensOf,
  } = await given(t)
  const offer = await fetch(`${base}/reading`)
  t.regex(offer.headers.get('rdn-features') ?? '', /relay/)

  const opened = await post('open', await signed(50n))
  t.is(opened.status, 200)
  const openBlock = await mined(opened.body.transaction_hash)
  const channel = { ...parties, openBlock }
  t.like(await client.channelInfo(channel), { deposit: 50n })
  const toppedUp = await post('topup', await signed(20n, openBlock))
  await mined(toppedUp.body.transaction_hash)
  t.like(await client.channelInfo(channel), { deposit: 70n })

  await readChain(receiver)
  const proof = (balance: bigint, key = senderAccount.privateKey) =>
    balanceProof({ domain, receiver: parties.receiver, openBlock, balance, key })
  const paid = await fetch(`${base}/reading`, {
    headers: {
      'RDN-Sender-Address': parties.sender,
      'RDN-Open-Block': `${openBlock}`,
      'RDN-Balance': '5',
      'RDN-Balance-Signature': proof(5n),
    },
  })
  t.is(paid.status, 200)
  const close = (balance: bigint, signature: string) =>
    post('close', {
      sender_address: parties.sender,
      open_block: openBlock,
      balance: `${balance}`,
      balance_signature: signature,
    })
  t.like(await close(5n, proof(5n, `0x${'77'.repeat(32)}`)), {
    status: 400,
    body: { code: 'relay_not_the_sender' },
  })
  t.like(await close(4n, proof(4n)), { status: 400, body: { code: 'not_latest_balance' } })
  const closed = await close(5n, proof(5n))
  await mined(closed.body.transaction_hash)
  t.is(await client.channelInfo(channel), undefined)
  t.is(await tokensOf(parties.receiver), 5n)
  t.is(await tokensOf(parties.sender), 10_000n - 5n)
  t.is(await chain.provider.getTransactionCount(parties.sender), 0)
})

test('what the receiver will not send, it refuses with a reason, and sends nothing', async (t) => {
  const { chain, parties, post, signed, receiver } = await given(t)
  const good = await signed(50n)
  const other = await signed(51n)
  const small = await signed(9n)
  const before = await chain.provider.getTransactionCount(receiver.address)
  const refusals: readonly (readonly [string, object, number, string])[] = [
    [
      'another receiver',
      { ...good, receiver_address: parties.sender },
      400,
      'relay_other_receiver',
    ],
    ['too small a deposit', small, 400, 'relay_deposit_too_small'],
    [
      'a signature over another deposit',
      { ...good, open_signature: 'open_signature' in other ? other.open_signature : '' },
      400,
      'relay_not_the_sender',
    ],
    [
      'a deadline that was not signed',
      { ...good, deadline: '99999999999' },
      400,
      'relay_not_the_sender',
    ],
    ['a field that is missing', { ...good, deposit: undefined }, 400, 'field_missing'],
    ['a field that is malformed', { ...good, sender_address: '0x12' }, 400, 'field_invalid'],
    ['a number that has lost its digits', { ...good, deposit: 1e20 }, 400, 'field_missing'],
  ]
  for (const [when, body, status, code] of refusals) {
    t.like(await post('open', body), { status, body: { code } }, when)
  }
  t.is(await chain.provider.getTransactionCount(receiver.address), before)
  t.is((await post('open', good)).status, 200)
})

test('the least deposit itself is enough', async (t) => {
  const { post, signed, mined } = await given(t)
  await mined((await post('open', await signed(10n))).body.transaction_hash)
})

test('gas above the receiver’s cap is not paid for others', async (t) => {
  const { post, signed } = await given(t, { relay: { mostFeePerGas: 1n } })
  t.like(await post('open', await signed(50n)), { status: 503, body: { code: 'fee_over_cap' } })
})

test('off unless configured: not offered, and not there', async (t) => {
  const system = await startSystem(t)
  const offer = await fetch(`${system.base}/reading`)
  t.notRegex(offer.headers.get('rdn-features') ?? '', /relay/)
  const answer = await fetch(`${system.base}/api/1/relay/close`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  t.is(answer.status, 404)
  t.like(await answer.json(), { code: 'relay_off' })
})
