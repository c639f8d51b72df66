import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import test from 'ava'
import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from 'ethers'
import {
  askPassword,
  createKeyFile,
  createKeySigner,
  findPassword,
  importKeyFile,
  loadSigner,
} from '../../../platform/keys/index.ts'
import { checkPrivate } from '../../../platform/keys/private-file.ts'
import { fromHex, isUraidenError, recoverSigner } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'

const privateKey = '0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318'
const { address } = new Wallet(privateKey)
const digest = new Uint8Array(32).fill(7)
const prompt = async () => 'testpassword'

// From the specification of Web3 Secret Storage: the same key with both derivations.
const vectorKey = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const vectorAddress = new Wallet(vectorKey).address
const pbkdf2Vector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const scryptVector = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

async function file(folder: string, content: unknown, mode = 0o600): Promise<string> {
  const path = join(folder, 'key')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  await chmod(path, mode)
  return path
}

for (const [name, vector] of Object.entries({ pbkdf2Vector, scryptVector })) {
  test(`the specification’s ${name} opens`, async (t) => {
    const path = await file(await temporaryFolder(t), vector)
    t.is((await loadSigner({ file: path, password: { prompt } })).address, vectorAddress as never)
  })
}

test('a new key file is a keystore that ethers opens, and the signer signs with its key', async (t) => {
  const path = join(await temporaryFolder(t), 'agent-key.json')
  const signer = await createKeyFile(path, 'correct horse')
  t.is((await stat(path)).mode & 0o777, 0o600)
  t.is(recoverSigner(digest, await signer.sign(digest)), signer.address)
  const opened = await decryptKeystoreJson(await readFile(path, 'utf8'), 'correct horse')
  t.is(opened.address, signer.address)
  const again = await loadSigner({ file: path, password: { prompt: async () => 'correct horse' } })
  t.is(await again.sign(digest), await signer.sign(digest))
  await t.throwsAsync(createKeyFile(path, 'x'), { code: 'key_file_exists' })
  await t.throwsAsync(createKeyFile(`${path}2`, ''), { code: 'key_password_missing' })
})

test('a keystore of ethers opens; a hex file opens with a warning and can be imported', async (t) => {
  const folder = await temporaryFolder(t)
  const scrypt = { N: 4096, r: 8, p: 6 }
  const theirs = await encryptKeystoreJson({ address, privateKey }, 'testpassword', { scrypt })
  t.is(
    (await loadSigner({ file: await file(folder, theirs), password: { prompt } })).address,
    address as never,
  )

  const warnings: string[] = []
  const hex = await file(folder, `${privateKey}\n`)
  const warned = await loadSigner({ file: hex, warn: (message) => warnings.push(message) })
  t.is(warned.address, address as never)
  t.regex(warnings.join(), /not encrypted/)
  const imported = await importKeyFile({ file: hex }, join(folder, 'store'), 'testpassword')
  t.is(imported.address, address as never)
  const stored = { file: join(folder, 'store'), password: { prompt } }
  t.is((await loadSigner(stored)).address, address as never)
})

const broken = { ...scryptVector.crypto, mac: `00${scryptVector.crypto.mac.slice(2)}` }
const costly = { ...scryptVector.crypto.kdfparams, n: 2 ** 30 }
const refused: readonly (readonly [what: string, content: unknown, code: string])[] = [
  ['a wrong password', { ...scryptVector, crypto: broken }, 'key_password_wrong'],
  ['another version', { ...scryptVector, version: 1 }, 'keystore_invalid'],
  ['no JSON', '{"version":', 'keystore_invalid'],
  ['no ciphertext', { version: 3, crypto: {} }, 'keystore_invalid'],
  [
    'a cost out of bounds',
    { version: 3, crypto: { ...broken, kdfparams: costly } },
    'keystore_invalid',
  ],
  ['another kdf', { version: 3, crypto: { ...broken, kdf: 'argon2' } }, 'keystore_invalid'],
  ['a short hex key', privateKey.slice(0, 60), 'key_file_invalid'],
  ['the key 0', '0'.repeat(64), 'key_file_invalid'],
  ['a key above the order', 'f'.repeat(64), 'key_file_invalid'],
  ['an empty file', '', 'key_file_invalid'],
  ['a large file', '0'.repeat(65_537), 'key_file_unreadable'],
]
for (const [what, content, code] of refused) {
  test(`refused: ${what}`, async (t) => {
    const path = await file(await temporaryFolder(t), content)
    const error = await t.throwsAsync(loadSigner({ file: path, password: { prompt } }), { code })
    t.true(isUraidenError(error) && error.hint !== '' && error.message.includes(path))
    t.false(inspect(error, { depth: 9, showHidden: true }).includes(privateKey.slice(4, 40)))
  })
}

for (const mode of [0o640, 0o604, 0o610, 0o602, 0o644]) {
  test(`a key file of mode ${mode.toString(8)} is refused with the remedy`, async (t) => {
    const path = await file(await temporaryFolder(t), privateKey, mode)
    const error = await t.throwsAsync(loadSigner({ file: path }), {
      code: 'key_file_readable_by_others',
      message: new RegExp(`mode ${mode.toString(8)}`),
    })
    t.true(isUraidenError(error) && error.hint.includes(`chmod 600 ${path}`))
  })
}

test('modes 600 and 400 and an owner root are private; another owner is not', (t) => {
  const path = '/k'
  for (const mode of [0o100600, 0o100400]) {
    t.notThrows(() => checkPrivate({ path, mode, owner: 1000 }, 1000))
    t.notThrows(() => checkPrivate({ path, mode, owner: 0 }, 1000))
    t.throws(() => checkPrivate({ path, mode, owner: 1001 }, 1000), {
      code: 'key_file_of_another_user',
    })
  }
})

test('a missing file and a folder are told apart', async (t) => {
  const folder = await temporaryFolder(t)
  await chmod(folder, 0o700)
  await t.throwsAsync(loadSigner({ file: join(folder, 'none') }), { code: 'key_file_missing' })
  await t.throwsAsync(loadSigner({ file: folder }), { code: 'key_file_unreadable' })
})

test('the password comes from file, variable, credential, prompt, in this order', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'password')
  await writeFile(path, 'from file\r\nsecond line\n', { mode: 0o600 })
  await mkdir(join(folder, 'credentials'))
  // systemd's own modes there are not ours to judge.
  await writeFile(join(folder, 'credentials', 'pw'), 'from systemd\n', { mode: 0o444 })
  const environment = { PW: 'from variable', CREDENTIALS_DIRECTORY: join(folder, 'credentials') }
  const rest = { credential: 'pw', prompt: async () => 'from prompt' }
  t.is(await findPassword({ file: path, variable: 'PW', environment, ...rest }), 'from file')
  t.is(await findPassword({ variable: 'PW', environment, ...rest }), 'from variable')
  t.is(await findPassword({ environment, ...rest }), 'from systemd')
  t.is(await findPassword({ environment: {}, ...rest }), 'from prompt')
  await t.throwsAsync(findPassword({ variable: 'PW', environment: {} }), {
    code: 'key_password_missing',
  })
  await chmod(path, 0o644)
  await t.throwsAsync(findPassword({ file: path }), { code: 'key_file_readable_by_others' })
})

test('what is typed at the prompt is not shown', async (t) => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const asked = askPassword('Password: ', input, output)
  input.write('open sesame\r')
  t.is(await asked, 'open sesame')
  t.is(String(output.read()), 'Password: \n')

  const closed = new PassThrough()
  const nothing = askPassword('Password: ', closed, new PassThrough())
  closed.write('\u0004')
  await t.throwsAsync(nothing, { code: 'key_password_missing' })
})

test('the key is in no output of a signer, and wiping the caller’s copy does not matter', async (t) => {
  const key = fromHex(privateKey)
  const signer = createKeySigner(key)
  key.fill(0)
  t.is(recoverSigner(digest, await signer.sign(digest)), signer.address)
  const shown = [
    JSON.stringify(signer),
    inspect(signer, { depth: 9, showHidden: true, getters: true }),
    String(signer.sign),
    JSON.stringify({ ...signer }),
  ].join()
  const bytes = [...fromHex(privateKey)]
  for (const secret of [
    privateKey.slice(2),
    bytes.slice(0, 4).join(','),
    bytes.slice(0, 4).join(', '),
  ]) {
    t.false(shown.includes(secret))
  }
})
