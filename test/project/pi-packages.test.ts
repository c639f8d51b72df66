// What is in the Debian package besides the program, and that it is the same each time.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  access,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { bundleCacheMaker, bundleProgram } from '../../deploy/pi/packaging/bundle.ts'
import { compileCache, nodeOptionsOf } from '../../deploy/pi/packaging/cache.ts'
import { platformNames, platformOf } from '../../deploy/pi/packaging/platforms.ts'
import { type Program, programOf } from '../../deploy/pi/packaging/programs.ts'
import { checkIntegrity } from '../../deploy/pi/packaging/runtime.ts'
import { startStandIn } from '../../deploy/pi/packaging/stand-in.ts'
import { maintained, writeTree } from '../../deploy/pi/packaging/tree.ts'
import { writeUsualState } from '../../deploy/pi/packaging/usual-state.ts'
import { packagesIn } from '../../scripts/lib/shared/licences.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { temporaryFolder } from '../support/folder.ts'
import { runReceiver } from '../support/receiver-program.ts'

const run = promisify(execFile)
const deploy = (path: string) => readFile(`deploy/pi/${path}`, 'utf8')

type Run = (folder: string, args: readonly string[]) => Promise<CliResult>

const programs = [
  { program: programOf('agent'), run: runCli as Run },
  { program: programOf('receiver'), run: runReceiver as Run },
]

/** postinst beside stand-ins for what only root can use; `override` is what dpkg-statoverride says. */
async function configured(
  t: ExecutionContext,
  program: Program,
  { mode, override }: { readonly mode: number; readonly override?: string },
) {
  const folder = await temporaryFolder(t)
  const script = join(folder, 'postinst')
  const text = await maintained('postinst', program)
  await writeFile(script, text.replaceAll('/run/systemd/system', '/nowhere'))
  const config = join(folder, 'root/etc/uraiden', program.config)
  await mkdir(dirname(config), { recursive: true })
  await writeFile(config, 'rpc: https://node.example/v3/key\n')
  await chmod(config, mode)
  const bin = join(folder, 'bin')
  await mkdir(bin)
  for (const [tool, does] of Object.entries({
    'systemd-sysusers': 'true',
    'systemd-tmpfiles': 'true',
    chown: `echo "$@" >${folder}/owner`,
    'dpkg-statoverride': override === undefined ? 'exit 1' : `echo ${override}`,
  })) {
    await writeFile(join(bin, tool), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
  }
  const env = { PATH: `${bin}:${process.env.PATH}`, DPKG_ROOT: join(folder, 'root') }
  await run('sh', [script, 'configure', '0.0.1'], { env })
  const owner = await readFile(join(folder, 'owner'), 'utf8').catch(() => '')
  return { mode: (await stat(config)).mode & 0o777, owner: owner.split(' ')[0] }
}

for (const { program, run: runProgram } of programs) {
  const name = program.package

  test(`${name}: others on the machine do not read the configuration; records of deployments are there`, async (t) => {
    const temporary = await temporaryFolder(t)
    const folder = join(temporary, 'tree')
    await writeFile(join(temporary, '10.json'), '{}')
    const anyFile = 'LICENSE'
    const tree = await writeTree({
      program,
      platform: platformOf('amd64'),
      runtime: { whole: anyFile, stripped: anyFile, licence: anyFile, headers: '' },
      bundle: { files: new Map(), inputs: [], addons: [] },
      deployments: temporary,
      version: '1.0.0',
      folder,
      date: 1,
    })
    const packed = await stat(join(tree.folder, 'etc/uraiden', program.config))
    t.is(packed.mode & 0o777, 0o640)
    // Beside the program, which looks for it there.
    const record = join(tree.folder, 'usr/lib', name, 'deployments/10.json')
    t.is(await readFile(record, 'utf8'), '{}')

    const own = { mode: 0o640, owner: `root:${name}` }
    t.deepEqual(await configured(t, program, { mode: 0o640 }), own)
    // As a version before this one has left it.
    t.deepEqual(await configured(t, program, { mode: 0o644 }), own)
    const override = `root adm 0644 /etc/uraiden/${program.config}`
    const kept = { mode: 0o644, owner: '' }
    t.deepEqual(await configured(t, program, { mode: 0o644, override }), kept)
  })

  test(`${name}: the configuration that is installed runs nothing; with what its comments ask for it is right`, async (t) => {
    const folder = await temporaryFolder(t)
    const file = join(folder, program.config)
    const installed = await deploy(`config/${program.config}`)
    await writeFile(file, installed)
    const unconfigured = await runProgram(folder, ['config', 'check', file])
    t.is(unconfigured.code, 2)
    for (const key of ['contract', 'key']) {
      t.true((unconfigured.stderr + unconfigured.stdout).includes(key), key)
    }

    const filledIn = installed
      .replace(
        /^#(?=(rpc|contract|key|receivers|resources| {2}(?!listen|users)[\w/-]+(\/\*)?| {4}(url|address)):)/gm,
        '',
      )
      .replaceAll(`0x${'0'.repeat(40)}`, '0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
    t.regex(filledIn, /^(receivers|resources):$/m)
    await writeFile(file, filledIn)
    const configured = await runProgram(folder, ['config', 'check', file])
    t.is(configured.code, 0, configured.stderr + configured.stdout)
  })

  test(`${name}: key and state are in one place, whoever names it`, async (t) => {
    const state = `/var/lib/${name}`
    const config = await deploy(`config/${program.config}`)
    t.true(config.includes(`key new ${state}/key.json\n`))
    t.true(config.includes(`\n#key: ${state}/key.json\n`))
    t.true(config.includes(`\nstate: ${state}\n`))
    t.regex(await deploy(`systemd/${name}.service`), new RegExp(`^StateDirectory=${name}$`, 'm'))
    t.regex(
      await deploy(`tmpfiles.d/${name}.conf`),
      new RegExp(`^d ${state} 0700 ${name} ${name} -$`, 'm'),
    )
    const reference = await readFile(`docs/reference/${program.name}-config.md`, 'utf8')
    t.true(reference.includes(`\nkey: ${state}/key.json\n`))
  })

  test(`${name}: unit, manual page and configuration name documents that are installed`, async (t) => {
    const installed = program.documents.map((document) => `${basename(document)}.md.gz`)
    t.is(new Set(installed).size, installed.length)
    for (const document of program.documents) await t.notThrowsAsync(access(`docs/${document}.md`))
    for (const path of [`systemd/${name}.service`, `man/${name}.1`, `config/${program.config}`]) {
      const text = (await deploy(path)).replaceAll('\\-', '-')
      const named = [...text.matchAll(/\/usr\/share\/doc\/([\w-]+)\/([\w.-]+\w)/g)]
      t.true(named.length > 0, path)
      for (const [, owner, document = ''] of named) {
        t.is(owner, name)
        t.true(installed.includes(document), `${path} names ${document}`)
      }
    }
  })

  test(`${name}: the bundle is the same each time, names no folder of this machine, and is small in memory`, async (t) => {
    const [first, second] = [await bundleProgram(program), await bundleProgram(program)]
    t.deepEqual(first, second)
    for (const [file, contents] of first.files) {
      const text = contents.toString()
      t.false(text.includes(process.cwd()), file)
      // One letter beyond would make V8 keep all of it as two bytes a letter.
      t.is(Buffer.byteLength(text), text.length, file)
      // What an uncaught error prints of it. A text of a page can be longer.
      const lines = text.split('\n')
      t.true(text.length / lines.length < 250, file)
    }
    t.deepEqual(
      first.inputs.filter((input) => /zod\/v4\/locales\/(?!index|en)/.test(input)),
      [],
    )
    t.true(packagesIn(first.inputs).includes('node_modules/ethers'))
    // Long strings go over several lines.
    const texts = [...first.files.values()].map((each) => each.toString().replaceAll('\\\n', ''))
    // The script of a page, from a room's web/assets.
    const ofPage = program.name === 'agent' ? 'Resume everything' : 'dashboard.js'
    t.true(texts.some((text) => text.includes(ofPage)))
    t.true(texts.some((text) => /(runCommandLine\(\{\s?program|startAgentProgram\(\))/.test(text)))
  })
}

test('uraiden-agent: each part is there for whoever needs it, and what a start loads is in few files', async (t) => {
  const { files } = await bundleProgram(programOf('agent'))
  const namesIn = (text: string, pattern: RegExp) =>
    new Set([...text.matchAll(pattern)].map(([, name = '']) => name))
  const partsIn = (begin: string) =>
    [...files].flatMap(([file, text]) =>
      file.startsWith(begin) ? [...namesIn(wholeText(text), /^"\.\/([\w-]+\.cjs)":/gm)] : [],
    )
  // What is loaded before: by the daemon and by commands `run-`, by commands `program-`.
  const before = new Set(['program.cjs', 'run-', 'program-'].flatMap(partsIn))
  for (const [file, text] of files) {
    const own = new Set([
      ...partsIn(file),
      ...(/^(get|daemon|program|run)-/.test(file) ? before : []),
    ])
    const first = new Set(file === 'program.cjs' ? [] : partsIn('program.cjs'))
    const needed = namesIn(wholeText(text), /require\("\.\/([\w-]+\.cjs)"\)/g)
    const missing = [...needed].filter(
      (name) => !files.has(name) && !own.has(name) && !first.has(name),
    )
    t.deepEqual(missing, [], file)
  }
  t.true(partsIn('daemon-').length > 20)
})

/** Words of what is loaded late, each by what it is. */
const lateParts = {
  ethers: 'JsonRpcApiProvider',
  mqtt: 'MqttClient',
  'bonjour-service': 'updateServiceSrv',
  got: 'request.options.maxRedirects',
  page: 'Resume everything',
  doctor: 'Not looked at, because the chain does not answer.',
}

/** Long strings go over several lines. */
const wholeText = (contents: string | Uint8Array) => contents.toString().replaceAll('\\\n', '')

function filesWith(
  files: ReadonlyMap<string, string | Uint8Array>,
  words: string,
): readonly string[] {
  return [...files].flatMap(([file, text]) => (wholeText(text).includes(words) ? [file] : []))
}

/** The agent's program with its addon. */
async function installAgent(folder: string) {
  const { files } = await bundleProgram(programOf('agent'))
  await mkdir(folder, { recursive: true })
  for (const [file, contents] of files) await writeFile(join(folder, file), contents)
  const here = platformOf(process.arch === 'arm64' ? 'arm64' : 'amd64')
  const addon = here.addons['classic-level']
  await copyFile(`node_modules/classic-level/${addon}`, join(folder, 'classic-level.node'))
  return files
}

/** What differs is said by name: the bytes say nothing. */
function digestsOf(cache: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...cache].map(
    ([file, data]) => `${file} ${data.length} ${createHash('sha256').update(data).digest('hex')}`,
  )
}

/** Its parts are no modules of Node's own loader. */
const partsRead = `const fs = require('node:fs')
const read = fs.readFileSync
const parts = new Set()
fs.readFileSync = (file, ...rest) => {
  if (String(file).endsWith('.cjs')) parts.add(String(file))
  return read(file, ...rest)
}
`

/** The same, and what to require before it, which may look at the `parts` that were read. */
async function installedAgent(t: ExecutionContext, before: string) {
  const folder = await temporaryFolder(t)
  const files = await installAgent(folder)
  await writeFile(join(folder, 'before.cjs'), `${partsRead}${before}`)
  const main = join(folder, 'uraiden-agent.cjs')
  const help = () =>
    run(process.execPath, ['--require', join(folder, 'before.cjs'), main, '--help'])
  return { files, folder, help }
}

test('uraiden-agent: the cache of V8 is the same each time, and is used with the flags of the unit and with none', async (t) => {
  const [folder, again] = [await temporaryFolder(t), await temporaryFolder(t)]
  const nodeOptions = await nodeOptionsOf('uraiden-agent')
  const make = async (into: string) => {
    const files = await installAgent(into)
    const maker = join(await temporaryFolder(t), 'caching.cjs')
    await writeFile(maker, await bundleCacheMaker())
    const installed = '/usr/lib/uraiden-agent'
    const command = [process.execPath]
    const cache = await compileCache({ command, folder: into, installed, maker, nodeOptions })
    return { files, cache }
  }
  const { files, cache } = await make(folder)
  const names = [...cache.keys()]
  for (const name of [/^program\.cjs\.cache$/, /^daemon-\w+\.cjs\.cache$/]) {
    t.true(names.some((file) => name.test(file)))
  }
  for (const name of ['program.cjs', 'get-', 'daemon-']) {
    t.true(names.some((file) => file.startsWith(name) && file.endsWith('.plain.cache')))
  }
  const ethers = filesWith(files, lateParts.ethers)
  t.deepEqual(
    names.filter((name) => ethers.some((file) => name.startsWith(file))),
    [],
  )
  t.deepEqual(digestsOf((await make(again)).cache), digestsOf(cache))

  for (const [file, contents] of cache) await writeFile(join(folder, file), contents)
  const seen = join(folder, 'seen.cjs')
  await writeFile(
    seen,
    `const vm = require('node:vm')
    const states = []
    vm.Script = class extends vm.Script {
      constructor(...given) { super(...given); states.push(this.cachedDataRejected) }
    }
    process.on('exit', () => process.stderr.write(JSON.stringify(states.map(String))))`,
  )
  const rejected = async (options: string): Promise<ReadonlySet<string>> => {
    const args = ['--require', seen, join(folder, 'uraiden-agent.cjs'), '--version']
    const env = { ...process.env, NODE_OPTIONS: options }
    const { stdout, stderr } = await run(process.execPath, args, { env })
    t.regex(stdout, /^\d/)
    return new Set(JSON.parse(stderr))
  }
  t.deepEqual(await rejected(''), new Set(['false']))
  const unit = await rejected(nodeOptions)
  // What the daemon does not load is not in its cache.
  t.true(unit.has('false') && !unit.has('true'))
  t.true((await rejected('--max-semi-space-size=2')).has('true'))
  // A card that lost the end of one.
  for (const [file, contents] of cache) {
    await writeFile(join(folder, file), contents.subarray(0, contents.length / 2))
  }
  t.true((await rejected(nodeOptions)).has('true'))
  for (const file of cache.keys()) await rm(join(folder, file))
  t.deepEqual(await rejected(nodeOptions), new Set(['undefined']))
})

test('uraiden-agent: what it loads late is in files of its own, which do not stay in memory', async (t) => {
  const { files, help } = await installedAgent(
    t,
    `process.on('exit', () => process.stderr.write([...parts].join('\\n')))`,
  )
  const loaded = (await help()).stderr.split('\n').map((file) => basename(file))
  t.true(loaded.includes('program.cjs'))
  for (const [part, words] of Object.entries(lateParts)) {
    const holders = filesWith(files, words)
    t.not(holders.length, 0, part)
    const early = holders.filter((file) => loaded.includes(file))
    t.deepEqual(early, [], part)
  }
})

/** Words of what only reads commands, configurations and keys, or writes a log as JSON, each by what it is. */
const partsOfOthers = {
  pino: 'default level:',
  zod: 'Invalid input: expected',
  yaml: 'YAMLParseError',
  commander: 'commander.helpDisplayed',
  'json-p3': 'JSONPathSyntaxError',
  keystores: 'The password does not open the key file',
  schemas: 'in the order of preference',
}

/** Files of the program, and modules of Node, that a process has loaded when it ends. */
const tellLoaded = `process.on('exit', () => fs.writeFileSync(__dirname + '/loaded.json', JSON.stringify({
  files: [...parts],
  modules: process.moduleLoadList.map((name) => name.replace('NativeModule ', '')),
})))`

async function loadedBy(
  folder: string,
  args: readonly string[],
  { cwd, environment = {} }: { readonly cwd: string; readonly environment?: NodeJS.ProcessEnv },
) {
  const before = ['--require', join(folder, 'before.cjs'), join(folder, 'uraiden-agent.cjs')]
  const env = { ...process.env, ...environment }
  const { stdout } = await run(process.execPath, [...before, ...args], { cwd, env })
  const { files, modules } = JSON.parse(await readFile(join(folder, 'loaded.json'), 'utf8'))
  const loaded: readonly string[] = files.map((file: string) => basename(file))
  return { stdout, loaded, modules: modules as readonly string[] }
}

test('uraiden-agent: the process that stays holds nothing of what reads commands, configurations and keystores', async (t) => {
  const { files, folder } = await installedAgent(
    t,
    `if (process.argv.includes('run')) {
      const write = process.stderr.write
      process.stderr.write = function (text, ...rest) {
        if (String(text).startsWith('ready')) {
          process.stdout.write(process.moduleLoadList.join('\\n'))
          setImmediate(() => process.kill(process.pid, 'SIGTERM'))
        }
        return write.call(this, text, ...rest)
      }
      ${tellLoaded}
    }`,
  )
  const cwd = await temporaryFolder(t)
  const { file, environment: own } = await writeUsualState(cwd)
  const environment = { ...own, JOURNAL_STREAM: undefined }
  const { stdout, loaded } = await loadedBy(folder, ['-c', file, 'run'], { cwd, environment })
  t.true(loaded.some((file) => file.startsWith('daemon-')))
  // Nothing is encrypted yet.
  const modules = stdout.split('\n')
  t.true(modules.includes('NativeModule http'))
  for (const name of ['https', 'tls', 'http2'])
    t.false(modules.includes(`NativeModule ${name}`), name)
  for (const [part, words] of Object.entries({ ...partsOfOthers, ethers: lateParts.ethers })) {
    const holders = filesWith(files, words)
    t.not(holders.length, 0, part)
    const held = holders.filter((file) => loaded.includes(file))
    t.deepEqual(held, [], part)
  }
})

/** Words of what signs or asks the chain, which a command beside the daemon leaves to it. */
const partsOfDaemon = {
  ...{ zod: partsOfOthers.zod, yaml: partsOfOthers.yaml, ethers: lateParts.ethers },
  ...{
    got: lateParts.got,
    curve: 'bad point: not on curve',
    chain: 'eth_getLogs',
  },
}

test('uraiden-agent: a command beside the daemon loads nothing that signs or asks the chain', async (t) => {
  const { files, folder } = await installedAgent(t, tellLoaded)
  const cwd = await temporaryFolder(t)
  const { file, state } = await writeUsualState(cwd)
  const standIn = await startStandIn(join(cwd, file), join(cwd, state))
  t.teardown(standIn.close)
  for (const [command, said] of [
    [['get', 'shop/reading'], /21\.4/],
    [['status'], /^running since /],
  ] as const) {
    const { stdout, loaded, modules } = await loadedBy(folder, ['-c', file, ...command], { cwd })
    t.regex(stdout, said)
    t.true(modules.includes('http'))
    for (const module of ['child_process', 'crypto', 'https', 'zlib']) {
      t.false(modules.includes(module), module)
    }
    for (const [part, words] of Object.entries(partsOfDaemon)) {
      const holders = filesWith(files, words)
      t.not(holders.length, 0, part)
      t.deepEqual(
        holders.filter((each) => loaded.includes(each)),
        [],
        part,
      )
    }
  }
})

/** A script with `load` for the parts of a program; what it prints is JSON. */
async function printed(folder: string, script: string): Promise<unknown> {
  const loader = new URL('../../deploy/pi/packaging/parts.ts', import.meta.url)
  const begin = `import { partsIn } from '${loader}'
const load = partsIn(${JSON.stringify(folder)})
`
  await writeFile(join(folder, 'script.mjs'), begin + script)
  return JSON.parse((await run(process.execPath, [join(folder, 'script.mjs')])).stdout)
}

/** Source of a function: which of Node's modules of encrypted connections are loaded. */
const loadedForTls = `() => process.moduleLoadList.flatMap((name) => /^NativeModule (https|tls|http2)$/.exec(name)?.[1] ?? [])`

test('uraiden-agent: of got there is what it uses, which works as ever; whoever wants the rest is told', async (t) => {
  const { files, folder } = await installedAgent(t, '')
  const { inputs } = await bundleProgram(programOf('agent'))
  const packages = packagesIn(inputs).map((path) => basename(path))
  t.true(packages.includes('got'))
  const unused = ['http2-wrapper', 'cacheable-request', 'cacheable-lookup', 'keyv']
  t.deepEqual(
    packages.filter((name) => unused.includes(name)),
    [],
  )
  const certificate = (name: string) => readFile(`test/support/certificates/${name}`, 'utf8')
  const [key, cert] = [await certificate('ip.key'), await certificate('ip.pem')]
  const answer: RequestListener = (request, response) => {
    response.setHeader('Content-Encoding', 'gzip')
    request.pipe(createGzip()).pipe(response)
  }
  const servers = [createServer(answer), createSecureServer({ key, cert }, answer)]
  t.teardown(() => {
    for (const server of servers) server.close()
  })
  const [plain, secure] = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return (server.address() as AddressInfo).port
    }),
  )
  const [part] = [...files].find(([, code]) => wholeText(code).includes(lateParts.got)) ?? []
  const said = await printed(
    folder,
    `const { default: got } = load('./${part}')
    const base = got.extend({ retry: { limit: 0 }, https: { certificateAuthority: ${JSON.stringify(cert)} } })
    const loaded = ${loadedForTls}
    const told = (options) => base('https://127.0.0.1:${secure}', options).then(String, (error) => error.message)
    const refused = (instance, host) => instance('https://' + host + ':${secure}').then(String, (error) => error.code)
    void (async () => {
      const post = (url) => base.post(url, { body: Buffer.from('21.4') }).text()
      console.log(JSON.stringify([
        await post('http://127.0.0.1:${plain}'),
        loaded(),
        await post('https://127.0.0.1:${secure}'),
        loaded(),
        await told({ http2: true }),
        await told({ cache: new Map() }),
        await told({ dnsCache: true }),
        await refused(got.extend({ retry: { limit: 0 } }), '127.0.0.1'),
        await refused(base, 'localhost'),
      ]))
    })()`,
  )
  t.deepEqual(said, [
    '21.4',
    [],
    '21.4',
    ['tls', 'https'],
    'HTTP/2 is not in this program',
    'a cache of answers is not in this program',
    'a cache of names is not in this program',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])
})

test('uraiden-agent: nothing of it asks ICU when it is loaded', async (t) => {
  const { files, help } = await installedAgent(
    t,
    `for (const name of Object.getOwnPropertyNames(Intl).filter((each) => /^[A-Z]/.test(each))) {
      Intl[name] = class { constructor() { throw new Error('ICU was asked: ' + name) } }
    }
    const others = /^(before|uraiden-agent)\\.cjs$|\\.node$/
    const all = new Map()
    for (const file of fs.readdirSync(__dirname).filter((each) => !others.test(each))) {
      for (const part of Object.entries((0, eval)(read(__dirname + '/' + file, 'latin1')))) all.set(...part)
    }
    const loaded = new Map()
    const load = (id) => {
      if (!all.has(id)) return require(id)
      if (loaded.has(id)) return loaded.get(id).exports
      const module = { exports: {} }
      loaded.set(id, module)
      all.get(id)(module.exports, load, module, __dirname + '/' + id, __dirname)
      return module.exports
    }
    for (const id of all.keys()) if (id !== './program.cjs') load(id)
    if (loaded.size < 60) throw new Error('not all was loaded')`,
  )
  t.true(files.size > 20)
  t.regex((await help()).stdout, /^Usage: uraiden-agent/)
})

test('a part that is loaded late exports what its importer takes, whichever kind of module it is', async (t) => {
  const folder = await temporaryFolder(t)
  const commandLine = `
void Promise.all([import('got'), import('mqtt'), import('bonjour-service'), import('ethers')]).then(
  ([{ default: got }, { connect }, { Bonjour }, { Interface }]) => {
    console.log([got, connect, Bonjour, Interface].map((each) => typeof each).join(' '))
  },
)`
  const { files } = await bundleProgram({ ...programOf('agent'), commandLine, ways: [] })
  for (const [file, contents] of files) await writeFile(join(folder, file), contents)
  const { stdout } = await run(process.execPath, [join(folder, 'uraiden-agent.cjs')])
  t.is(stdout, 'function function function function\n')
})

for (const { name, words, completed } of [
  { name: 'agent', words: '--config x his', completed: 'history' },
  { name: 'agent', words: 'get --max', completed: '--max-price' },
  { name: 'receiver', words: '--config x clo', completed: 'close-all close' },
  { name: 'receiver', words: 'withdraw --dr', completed: '--dry-run' },
]) {
  test(`bash completes uraiden-${name} ${words}`, async (t) => {
    const script = `. deploy/pi/completion/uraiden-${name}
      COMP_WORDS=(uraiden-${name} ${words}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _uraiden_${name}; echo "\${COMPREPLY[@]}"`
    t.is((await run('bash', ['-c', script])).stdout, `${completed}\n`)
  })
}

for (const name of platformNames) {
  test(`${name}: its Node is pinned, and classic-level has its addon`, async (t) => {
    const { node, addons } = platformOf(name)
    t.regex(node.integrity, /^sha512-[A-Za-z0-9+/]{86}==$/)
    const addon = await readFile(`node_modules/classic-level/${addons['classic-level']}`)
    t.is(addon.subarray(1, 4).toString(), 'ELF')
    t.throws(() => checkIntegrity(node, Buffer.from('another file')), {
      code: 'build_node_hash',
      message: new RegExp(`^${node.name}@${node.version} has the hash sha512-`),
    })
  })
}

for (const { reason, prepare, kept, sealed } of [
  {
    reason: 'there is a key in it',
    prepare: 'echo key > "$state/key.json"',
    kept: true,
    sealed: ['agent-key', 'agent-key-password'],
  },
  { reason: 'it is empty', prepare: ':', kept: false, sealed: ['agent-key'] },
  {
    reason: 'it is marked',
    prepare: 'echo key > "$state/key.json"; touch "$state/purge-me"',
    kept: false,
    sealed: [],
  },
  {
    reason: 'the administrator said so',
    prepare: 'echo key > "$state/key.json"; export URAIDEN_PURGE_STATE=yes',
    kept: false,
    sealed: [],
  },
]) {
  test(`purge ${kept ? 'keeps' : 'removes'} the state when ${reason}`, async (t) => {
    const folder = await temporaryFolder(t)
    // Without a running systemd, as in an image that is being built: nothing of this machine is asked.
    const postrm = join(folder, 'postrm')
    const text = await maintained('postrm', programOf('agent'))
    await writeFile(postrm, text.replaceAll('/run/systemd/system', '/nowhere'))
    const script = `set -e
      state=$DPKG_ROOT/var/lib/uraiden-agent; mkdir -p "$state"; ${prepare}
      store=$DPKG_ROOT/etc/credstore.encrypted; mkdir -p "$store"
      touch "$store/agent-key" "$store/agent-key-password" "$store/of-another"
      sh ${postrm} purge
      [ -d "$state" ] && echo kept || echo removed`
    const env = { PATH: process.env.PATH, DPKG_ROOT: folder }
    const { stdout, stderr } = await run('bash', ['-c', script], { env })
    t.is(stdout, kept ? 'kept\n' : 'removed\n')
    t.is(stderr.includes('there may be money in it'), kept)
    const left = await readdir(join(folder, 'etc/credstore.encrypted'))
    t.deepEqual(left.sort(), [...sealed, 'of-another'])
    t.is(stderr.includes('it is the key'), !kept && sealed.length > 0)
  })
}
