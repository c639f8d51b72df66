import test from 'ava'
import { contractAbilities, parseAddress } from '../../protocol/index.ts'

test('the original’s contract knows the seed form in 65 bytes only, and neither batches, relay nor challenge', (t) => {
  t.deepEqual(contractAbilities('0.2.0'), {
    forms: ['seed'],
    hasBatches: false,
    hasRelay: false,
    hasChallenge: false,
    hasShortSignatures: false,
    hasAuthorizations: false,
    hasTicks: false,
  })
})

test('ours prefers EIP-712 and has all of them', (t) => {
  t.deepEqual(contractAbilities('0.3.0'), {
    forms: ['eip712', 'seed'],
    hasBatches: true,
    hasRelay: true,
    hasChallenge: true,
    hasShortSignatures: true,
    hasAuthorizations: false,
    hasTicks: false,
  })
})

test('0.4 also opens with an authorization, and takes ticks', (t) => {
  t.deepEqual(contractAbilities('0.4.0'), {
    ...contractAbilities('0.3.0'),
    hasAuthorizations: true,
    hasTicks: true,
  })
})

test('major and minor version decide', (t) => {
  t.is(contractAbilities('0.3.17'), contractAbilities('0.3.0'))
  t.is(contractAbilities('0.4.1'), contractAbilities('0.4.0'))
  t.is(contractAbilities('0.2.1-rc'), contractAbilities('0.2.0'))
})

for (const version of ['', '0.3', '0.30.0', '0.5.0', '1.2.0', '10.3.0', 'v0.3.0', 'constructor.']) {
  test(`the version "${version}" is refused`, (t) => {
    t.throws(() => contractAbilities(version), { code: 'contract_version_unsupported' })
  })
}

test('the refusal names the contract where it is known, and not more of a version than fits a line', (t) => {
  const contract = parseAddress(`0x${'12'.repeat(20)}`)
  t.throws(() => contractAbilities('9'.repeat(100), contract), {
    message: `The contract at ${contract} has version "${'9'.repeat(20)}…"; versions 0.2, 0.3 and 0.4 are known here.`,
  })
})
