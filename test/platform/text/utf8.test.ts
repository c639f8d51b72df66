import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { readPrivateFile } from '../../../platform/keys/index.ts'
import { readUtf8 } from '../../../platform/text/utf8.ts'
import { temporaryFolder } from '../../support/folder.ts'

const text = `rpc: http://127.0.0.1:8545\ncontract: '0x${'12'.repeat(20)}'\nkey: k\n`
const swapped = (wide: string) => Buffer.from(wide, 'utf16le').swap16()

const wide: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['UTF-16LE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16BE with a mark', swapped(`\ufeff${text}`)],
  ['UTF-16LE', Buffer.from(text, 'utf16le')],
  ['UTF-16BE', swapped(text)],
]

for (const [name, bytes] of wide) {
  test(`${name} is said as such, of a configuration and of a key`, async (t) => {
    const file = join(await temporaryFolder(t), 'agent.yaml')
    await writeFile(file, bytes, { mode: 0o600 })
    const message = /is UTF-16/
    await t.throwsAsync(loadAgentConfig(file, {}), { code: 'config_unreadable', message })
    await t.throwsAsync(readPrivateFile(file), { code: 'key_file_unreadable', message })
  })
}

test('Latin-1 is no UTF-8, and is not read as something else', async (t) => {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, Buffer.from(`# Küche\n${text}`, 'latin1'), { mode: 0o600 })
  const message = /is no UTF-8/
  await t.throwsAsync(loadAgentConfig(file, {}), { code: 'config_unreadable', message })
  await t.throwsAsync(readPrivateFile(file), { code: 'key_file_unreadable', message })
})

test('a byte order mark of UTF-8 is no part of the text', async (t) => {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, `\ufeff${text}`, { mode: 0o600 })
  t.is((await loadAgentConfig(file, {})).key, join(dirname(file), 'k'))
  t.is(await readPrivateFile(file), text)
})

test('short and empty files are what they are', (t) => {
  for (const each of ['', 'a', 'ab', 'abc', '\0', 'a\0'])
    t.deepEqual(readUtf8(Buffer.from(each)), { text: each })
})
