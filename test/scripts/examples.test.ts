// Each shop of scripts/examples, as ./scripts/example starts it, with an agent that buys.
import { once } from 'node:events'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startChild } from '../../scripts/lib/examples/child.ts'
import { examplesFolder, startExample } from '../../scripts/lib/examples/start.ts'
import { runCli } from '../support/cli.ts'
import { temporaryFolder } from '../support/folder.ts'
import { runScript, startScript } from '../support/script.ts'
import { until } from '../support/until.ts'

/** A stand-in for the world gets a free port in place of the one in the configuration. */
async function givenExample(t: ExecutionContext, name: string) {
  const folder = join(await temporaryFolder(t), name)
  await cp(join(examplesFolder, name), folder, { recursive: true })
  await writeFile(join(folder, '../package.json'), '{ "type": "module" }')
  const config = join(folder, 'receiver.yaml')
  const text = await readFile(config, 'utf8')
  if (/^ +upstream:|upstream: '/m.test(text)) {
    const standIn = await startChild(join(folder, 'stand-in.js'), ['0'])
    t.teardown(standIn.stop)
    await writeFile(config, text.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, standIn.firstLine))
    // The copy's own must not start beside it.
    await writeFile(join(folder, 'stand-in.js'), `process.stdout.write('started already\\n')`)
  }
  const example = await startExample({ folder, port: 0 })
  t.teardown(example.stop)
  const buy = async (path: string) => {
    const args = ['--json', '--config', example.agentConfig, 'get', `${example.url}${path}`]
    const { stdout, stderr } = await runCli(folder, args)
    const answer = JSON.parse(stdout)
    t.truthy(answer.status, stderr)
    return answer as {
      readonly status: number
      readonly body: string
      readonly payment?: { readonly cost: string }
    }
  }
  const priceOf = async (path: string) =>
    (await fetch(`${example.url}${path}`)).headers.get('rdn-price')
  return { ...example, buy, priceOf }
}

test.serial('echo: a fixed price, and one that the request decides', async (t) => {
  const { buy, priceOf } = await givenExample(t, 'echo')
  t.like(await buy('/echofix/hello'), { status: 200, body: 'hello', payment: { cost: '5' } })
  t.like(await buy('/echodyn/7'), { status: 200, body: '7', payment: { cost: '7' } })
  t.is(await priceOf('/echodyn/foo'), '3')
  t.is(await priceOf('/echodyn/007'), '7')
  t.like(await buy('/echofix/%3Cb%3E'), { body: '&#60;b&#62;' })
})

test.serial('sensor: the output of a command; a missing sensor costs nothing', async (t) => {
  const { buy } = await givenExample(t, 'sensor')
  const load = await buy('/sensors/load')
  t.like(load, { status: 200, payment: { cost: `${10n ** 15n}` } })
  t.is(typeof JSON.parse(load.body).load, 'number')
  const temperature = await buy('/sensors/temperature')
  if (temperature.status === 200) t.is(typeof JSON.parse(temperature.body).celsius, 'number')
  else t.like(temperature, { status: 500, payment: { cost: '0' } })
})

test.serial('demo: fortunes, a dog, a teapot', async (t) => {
  const { buy } = await givenExample(t, 'demo')
  const first = await buy('/fortunes')
  t.like(first, { status: 200, payment: { cost: '1' } })
  t.not((await buy('/fortunes')).body, first.body)
  t.regex((await buy('/doggo.svg')).body, /^<svg/)
  t.like(await buy('/teapot'), { status: 418, payment: { cost: '3' } })
})

test.serial('eth-ticker: what an upstream server knows', async (t) => {
  const { buy } = await givenExample(t, 'eth-ticker')
  const answer = await buy('/ethticker')
  t.like(answer, { status: 200, payment: { cost: `${10n ** 15n}` } })
  t.true(Number(JSON.parse(answer.body).last_price) > 0)
})

test.serial('wiki: pages cost, how they look and begin is free', async (t) => {
  const { buy, url } = await givenExample(t, 'wiki')
  t.is((await fetch(`${url}/wiki/Blockchain`)).status, 402)
  t.regex((await buy('/wiki/Blockchain')).body, /<h1>Blockchain<\/h1>/)
  t.is((await fetch(`${url}/static/style.css`)).status, 200)
  const teaser = await (await fetch(`${url}/api/1/teaser/wiki/Blockchain`)).text()
  t.regex(teaser, /A list of blocks that everybody agrees on/)
  t.notRegex(teaser, /small payments/)
})

test.serial('a taken port: two lines say so, and nothing is left running', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, stdout, stderr } = await runScript(t, 'example', ['echo', '--port', `${port}`])
  t.is(code, 1)
  t.is(stdout, '')
  t.regex(
    stderr,
    /^uraiden-receiver: Cannot listen on .*\n.*\(listen_failed, exit 2\)\nexample: receiver has not started\.\n.*\(program_ended, exit 1\)\n$/,
  )
})

test.serial('what a script started lives no longer than it, even when it is killed', async (t) => {
  const folder = await temporaryFolder(t)
  const script = startScript(t, 'example', ['echo', '--port', '0'], { folder })
  await until(() => script.stdout().includes('Ctrl-C ends it'), script.stderr)
  const [, url = ''] = /(http:\S+)\/echofix/.exec(script.stdout()) ?? []
  script.kill('SIGKILL')
  await until(() =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  )
  t.pass()
})
