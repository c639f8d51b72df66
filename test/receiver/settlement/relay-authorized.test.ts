// One signature of the token's kind (EIP-3009) opens a channel; the receiver sends it, or says why not.
import test, { type ExecutionContext } from 'ava'
import { hexlify, randomBytes, solidityPackedKeccak256 } from 'ethers'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import type { ReceiverOptions } from '../../../receiver/index.ts'
import { deployArtifact, mined } from '../../support/contracts.ts'
import { startTokenSystem, type Token, tokenOf } from '../../support/token-system.ts'
import { until } from '../../support/until.ts'

const types = {
  ReceiveWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
}

const authorizing = tokenOf('AuthorizingToken')

async function given(
  t: ExecutionContext,
  options: Partial<ReceiverOptions> = {},
  token: Token = authorizing,
) {
  const receiving = { relay: { leastDeposit: 10n }, ...options }
  const { system, client } = await startTokenSystem(t, token, '0.005', receiving)
  const { base, chain, contract, senderAccount, receiverAccount, receiver } = system
  const wallet = chain.wallet(2)
  const call = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${base}/api/1/${path}`, init)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const post = (body: object) =>
    call('relay/open', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const { timestamp: now } = await client.head()
  /** As a wallet of x402 signs it; ethers writes the message. */
  const signed = async (changes: Partial<ReturnType<typeof terms>> = {}) => {
    const body = { ...terms(), ...changes }
    const { receiver_address, salt } = body
    const message = {
      ...{ from: body.sender_address, to: contract, value: body.deposit },
      ...{ validAfter: body.valid_after, validBefore: body.valid_before },
      nonce: solidityPackedKeccak256(['address', 'bytes32'], [receiver_address, salt]),
    }
    const domain = {
      ...{ name: 'Test', version: '1', chainId: chain.chainId },
      verifyingContract: await system.token.getAddress(),
    }
    return { ...body, authorization: await wallet.signTypedData(domain, types, message) }
  }
  const terms = () => ({
    sender_address: senderAccount.address as string,
    receiver_address: receiverAccount.address as string,
    deposit: '50',
    valid_after: '0',
    valid_before: `${now + 600}`,
    salt: hexlify(randomBytes(32)),
  })
  const sent = () => chain.provider.getTransactionCount(receiver.address)
  return { ...system, client, call, post, signed, sent, now, wallet }
}

test('a channel opens with one signature, sent once however often it is asked for', async (t) => {
  const { call, post, signed, sent, client, chain, contract, tokensOf, ...rest } = await given(t)
  t.deepEqual(await call('relay'), { status: 200, body: { open: ['authorization', 'permit'] } })
  const body = await signed()
  const before = await sent()
  await chain.provider.send('evm_setAutomine', [false])
  const answers = await Promise.all([post(body), post(body)])
  // Of one nonce one transaction is sent, whatever it is asked for.
  answers.push(await post(await signed({ salt: body.salt, deposit: '60' })))
  const hashes = new Set(answers.map(({ body: { transaction_hash } }) => `${transaction_hash}`))
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  t.is(hashes.size, 1)
  await chain.mine(1)
  await chain.provider.send('evm_setAutomine', [true])
  const [hash = ''] = hashes
  const receipt = await chain.provider.waitForTransaction(hash)
  t.is(receipt?.status, 1)
  t.is(await sent(), before + 1)
  const parties = {
    sender: rest.senderAccount.address as Address,
    receiver: rest.receiverAccount.address as Address,
  }
  const channel = { ...parties, openBlock: receipt?.blockNumber ?? 0 }
  t.like(await client.channelInfo(channel), { deposit: 50n })
  t.is(await tokensOf(contract), 50n)
  await until(async () => (await post(body)).status === 400)
  t.like(await post(body), { status: 400, body: { code: 'transaction_reverts' } }, 'used')
  t.is(await sent(), before + 1)
})

test('what was not signed so, or is not good now, is refused and costs nothing', async (t) => {
  const { post, signed, sent, now, wallet, senderAccount, tokensOf, contract } = await given(t)
  const good = await signed()
  const before = await sent()
  const stranger = parseAddress(`0x${'77'.repeat(20)}`)
  const refusals: readonly (readonly [string, object, string])[] = [
    ['another receiver', { ...good, receiver_address: stranger }, 'relay_other_receiver'],
    [
      'signed for another receiver',
      {
        ...(await signed({ receiver_address: stranger })),
        receiver_address: good.receiver_address,
      },
      'relay_not_the_sender',
    ],
    ['more', { ...good, deposit: '51' }, 'relay_not_the_sender'],
    ['less', { ...good, deposit: '49' }, 'relay_not_the_sender'],
    ['too little', await signed({ deposit: '9' }), 'relay_deposit_too_small'],
    ['another sender', { ...good, sender_address: stranger }, 'relay_not_the_sender'],
    ['another salt', { ...good, salt: hexlify(randomBytes(32)) }, 'relay_not_the_sender'],
    ['a later end', { ...good, valid_before: `${now + 601}` }, 'relay_not_the_sender'],
    ['another beginning', { ...good, valid_after: '1' }, 'relay_not_the_sender'],
    ['expired', await signed({ valid_before: `${now - 1}` }), 'relay_validity'],
    ['over before it is mined', await signed({ valid_before: `${now + 30}` }), 'relay_validity'],
    ['good for a week', await signed({ valid_before: `${now + 604_800}` }), 'relay_validity'],
    ['not good yet', await signed({ valid_after: `${now + 500}` }), 'relay_validity'],
    ['more than there is', await signed({ deposit: `${10n ** 20n}` }), 'transaction_reverts'],
    [
      'bytes of no wallet',
      { ...good, authorization: `0x${'11'.repeat(97)}` },
      'relay_not_the_sender',
    ],
    ['short bytes', { ...good, authorization: '0x' }, 'field_invalid'],
    ['too many bytes', { ...good, authorization: `0x${'11'.repeat(2049)}` }, 'field_invalid'],
    ['a short salt', { ...good, salt: `0x${'11'.repeat(31)}` }, 'field_invalid'],
    ['a time too long', { ...good, valid_before: `${2n ** 64n}` }, 'field_invalid'],
    ['no time', { ...good, valid_before: undefined }, 'field_missing'],
  ]
  for (const [when, body, code] of refusals) {
    t.like(await post(body), { status: 400, body: { code } }, when)
  }
  t.is(await sent(), before)
  t.is(await tokensOf(contract), 0n)
  t.is(wallet.address, senderAccount.address)
  t.is((await post(good)).status, 200)
})

test('an account with code is authorized by bytes that its token takes, and no others', async (t) => {
  const { post, signed, sent, chain, token, tokensOf, contract } = await given(t)
  const word = hexlify(randomBytes(97))
  const wallet = await (await deployArtifact(chain, 'SmartWallet', word)).getAddress()
  await mined(token.getFunction('transfer(address,uint256)')(wallet, 100n))
  const body = { ...(await signed({ sender_address: wallet })), authorization: word }
  const before = await sent()
  const wrong = { ...body, authorization: hexlify(randomBytes(97)) }
  t.like(await post(wrong), { status: 400, body: { code: 'transaction_reverts' } })
  t.is(await sent(), before)
  const { body: answer } = await post(body)
  await chain.provider.waitForTransaction(`${answer.transaction_hash}`)
  t.is(await tokensOf(contract), 50n)
})

test('code of an account that burns gas to check a signature is not paid for', async (t) => {
  const { post, signed, sent, chain, token } = await given(t)
  const wallet = await (await deployArtifact(chain, 'BurningWallet')).getAddress()
  await mined(token.getFunction('transfer(address,uint256)')(wallet, 100n))
  const before = await sent()
  const body = await signed({ sender_address: wallet })
  t.like(await post(body), { status: 400, body: { code: 'gas_over_cap' } })
  t.is(await sent(), before)
})

test('a token without authorizations: the relay says so before anybody signs, and refuses', async (t) => {
  const { call, post, signed } = await given(t, {}, tokenOf('UsdcToken'))
  t.deepEqual(await call('relay'), { status: 200, body: { open: ['permit'] } })
  t.like(await post(await signed()), { status: 400, body: { code: 'relay_no_authorizations' } })
})

test('caps hold as for permits: a sender’s share of the day, and the price of gas', async (t) => {
  const { post, signed, chain } = await given(t, { relay: { mostPerDay: 1 } })
  const { body } = await post(await signed())
  await chain.provider.waitForTransaction(`${body.transaction_hash}`)
  t.like(await post(await signed()), { status: 400, body: { code: 'relay_limit' } })
  const dear = await given(t, { relay: { mostFeePerGas: 1n } })
  t.like(await dear.post(await dear.signed()), { status: 503, body: { code: 'fee_over_cap' } })
})
