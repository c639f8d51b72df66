import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createKeyFile, createKeySigner } from '../../../platform/keys/index.ts'
import { addressOption, amountOption, signerOption } from '../../../platform/written/written.ts'
import { fromHex } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'

const token = { symbol: 'TKN', decimals: 18 }
const none = { signer: undefined, key: undefined }

test('an address is taken as a person writes it, in small letters too', (t) => {
  const checksummed = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
  t.is(`${addressOption('contract', checksummed)}`, checksummed)
  t.is(`${addressOption('contract', checksummed.toLowerCase())}`, checksummed)
})

for (const [text, code] of [
  ['0x123', 'not_an_address'],
  ['0xE7f1725E7734CE288F8367e1Bb143E90bb3F0512', 'wrong_checksum'],
] as const) {
  test(`an address that is none is refused, and the error names the option: ${code}`, (t) => {
    t.throws(() => addressOption('receivers[1]', text), {
      code,
      message: /^receivers\[1\]: .*0x/,
    })
  })
}

test('an amount is of the smallest unit, or as a person writes it', (t) => {
  t.is(amountOption('budget.day', 5n, token), 5n)
  t.is(amountOption('budget.day', '5 units', token), 5n)
  t.is(amountOption('budget.day', '0.005 TKN', token), 5n * 10n ** 15n)
})

for (const [text, code] of [
  ['1 ETH', 'wrong_token'],
  ['much', 'not_an_amount'],
] as const) {
  test(`an amount that is none is refused, and the error names the option: ${code}`, (t) => {
    t.throws(() => amountOption('budget.day', text, token), { code, message: /^budget\.day: / })
  })
}

test('a key is opened by its file, with a password or with the file of one', async (t) => {
  const folder = await temporaryFolder(t)
  const [file, passwordFile] = [join(folder, 'key.json'), join(folder, 'password')]
  const { address } = await createKeyFile(file, 'secret')
  await writeFile(passwordFile, 'secret\n', { mode: 0o600 })
  for (const key of [
    { file, password: 'secret' },
    { file, passwordFile },
  ]) {
    t.is((await signerOption({ ...none, key })).address, address)
  }
  await t.throwsAsync(signerOption({ ...none, key: { file } }), { code: 'key_password_missing' })
  await t.throwsAsync(signerOption({ ...none, key: { file, password: 'other' } }), {
    code: 'key_password_wrong',
  })
})

test('there is one who signs: neither none nor two', async (t) => {
  const signer = createKeySigner(fromHex(`0x${'11'.repeat(32)}`))
  t.is(await signerOption({ ...none, signer }), signer)
  await t.throwsAsync(signerOption(none), { code: 'key_not_given', message: /Neither/ })
  await t.throwsAsync(signerOption({ signer, key: { file: 'key.json' } }), {
    code: 'key_not_given',
    message: /Both/,
  })
})
