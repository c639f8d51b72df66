// What a program asks before it can begin, and the files that it writes then.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'ava'
import { firstFiles, refuseExisting, writeFirstFiles } from '../../../platform/cli/first-files.ts'
import { createQuestions, parseTokens } from '../../../platform/cli/questions.ts'
import { temporaryFolder } from '../../support/folder.ts'

const price = { option: '--price AMOUNT', text: 'Its price', parse: parseTokens }

/** `typed` at a terminal, or nobody there. */
function asked(typed?: string, yes?: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined })
  const output = new PassThrough()
  if (typed !== undefined) input.end(typed)
  const questions = createQuestions({ yes, input, output })
  return { ...questions, said: () => `${output.read() ?? ''}` }
}

test('what an option says is taken, and refused with its own error', async (t) => {
  const { ask } = asked('7\n')
  t.is(await ask({ ...price, given: '5', usual: '1' }), '5')
  await t.throwsAsync(ask({ ...price, given: 'x' }), { code: 'not_tokens' })
})

test('a person is asked again until it fits; nothing typed is what is usual', async (t) => {
  const { ask, close, said } = asked('x\n\n 3 \n')
  t.is(await ask({ ...price, usual: '0.005' }), '0.005')
  t.regex(said(), /^Its price \[0.005\]: .*"x" is not an amount of tokens\. Write it like 0\.01\./s)
  t.is(await ask(price), '3')
  close()
})

test('a person who goes away ends it', async (t) => {
  await t.throwsAsync(asked('').ask(price), { code: 'answers_ended' })
})

test('where nobody is, or nobody wants to be asked, what is usual is taken, or the option is named', async (t) => {
  for (const { ask } of [asked(), asked('7\n', true)]) {
    t.is(await ask({ ...price, usual: '0.005' }), '0.005')
    await t.throwsAsync(ask(price), {
      code: 'answer_missing',
      message: 'It is not said what to take: Its price.',
    })
  }
})

test('the files are a person’s own, and readable by nobody else', async (t) => {
  const folder = await temporaryFolder(t)
  const files = firstFiles('agent', undefined, { XDG_CONFIG_HOME: folder })
  t.is(files.config, join(folder, 'uraiden/agent.yaml'))
  const address = await writeFirstFiles(files, (account) => `account: ${account}\n`)
  t.is(await readFile(files.config, 'utf8'), `account: ${address}\n`)
  for (const file of Object.values(files)) t.is((await stat(file)).mode & 0o777, 0o600)
  await t.throwsAsync(refuseExisting(files.config), { code: 'config_exists' })
  t.is(await refuseExisting(join(folder, 'other.yaml')), undefined)
})

test('whichever of them is there already, it stays as it was and nothing else is written', async (t) => {
  for (const there of ['config', 'key', 'password'] as const) {
    const folder = join(await temporaryFolder(t), 'new')
    await mkdir(folder)
    const files = firstFiles('receiver', join(folder, 'receiver.yaml'))
    await writeFile(files[there], 'mine')
    await t.throwsAsync(writeFirstFiles(files, String), { code: 'key_file_exists' })
    t.is(await readFile(files[there], 'utf8'), 'mine')
    t.is((await readdir(folder)).length, 1)
  }
})
