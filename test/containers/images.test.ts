// The images, built from their Containerfiles and run as compose.yaml says: by a user who is not root, with a root
// that is only read. The network is this machine's loopback.
import test, { type ExecutionContext } from 'ava'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { readCompose, serviceOf } from '../support/compose.ts'
import { buildImage, givenPodman, type Podman } from '../support/podman.ts'
import { until } from '../support/until.ts'

type Program = 'agent' | 'receiver'

/** How compose.yaml has a program run, in podman's words; its configuration from `folder`. */
async function optionsOf(program: Program, folder: string, label: string) {
  const service = serviceOf(await readCompose(), program)
  const { user = '', tmpfs = [], volumes = [], secrets = [], cap_drop = [] } = service
  const [uid = '', gid = ''] = user.split(':')
  return [
    ...['--user', user, ...(service.read_only ? ['--read-only'] : [])],
    ...cap_drop.flatMap((name) => ['--cap-drop', name]),
    ...(service.security_opt ?? []).flatMap((each) => [
      '--security-opt',
      each.replace(/:true$/, ''),
    ]),
    ...tmpfs.flatMap((path) => ['--tmpfs', path]),
    ...secrets.flatMap((name) => [
      '--secret',
      `${label}-${name},target=${name},uid=${uid},gid=${gid},mode=0400`,
    ]),
    ...volumes.flatMap((volume) => [
      '--volume',
      volume.startsWith('./')
        ? volume.replace('.', `${folder}/deploy/containers`)
        : `${label}-${volume}`,
    ]),
    ...['--network', 'host', '--cgroups', 'disabled'],
  ]
}

/** Both programs' images and volumes, under a label of this test. */
async function givenImages(t: ExecutionContext) {
  const given = await givenPodman(t)
  const { podman, folder, put } = given
  const label = `uraiden-${process.pid}`
  t.teardown(async () => {
    for (const name of ['agent', 'receiver'] as const) {
      await podman('rm', '--force', '--ignore', '--time', '0', `${label}-${name}`)
      await podman('volume', 'rm', '--force', `${label}-${name}`)
      await podman('secret', 'rm', `${label}-${name}-password`)
    }
  })
  const programOf = async (name: Program) => {
    const image = await buildImage(given, name)
    const password = await put(`${name}-password`, `only for ${name}\n`, 0o600)
    await podman('secret', 'create', `${label}-${name}-password`, password)
    const options = await optionsOf(name, folder, label)
    const state = `/var/lib/uraiden-${name}`
    const key = [`${state}/key.json`, '--password-file', `/run/secrets/${name}-password`]
    const once = (...args: readonly string[]) => podman('run', '--rm', ...options, image, ...args)
    await once('key', 'new', ...key)
    return {
      image,
      options,
      address: await once('key', 'address', ...key),
      container: `${label}-${name}`,
    }
  }
  return { podman, agent: await programOf('agent'), receiver: await programOf('receiver') }
}

const environment = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).flatMap(([name, value]) => ['--env', `${name}=${value}`])

test('a receiver sells to an agent, both in closed containers; a restart keeps channel and ledger', async (t) => {
  const { podman, agent, receiver } = await givenImages(t)
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  await (await token.getFunction('transfer(address,uint256)')(agent.address, 10n ** 18n)).wait()
  for (const to of [agent.address, receiver.address]) {
    await (await chain.wallet(0).sendTransaction({ to, value: 10n ** 18n })).wait()
  }

  const port = await freePort()
  const common = (name: Program) => ({
    [`URAIDEN_${name.toUpperCase()}_RPC`]: chain.rpcUrl,
    [`URAIDEN_${name.toUpperCase()}_CONTRACT`]: contract,
  })
  await start(podman, receiver, {
    ...common('receiver'),
    URAIDEN_RECEIVER_CONFIRMATIONS: '1',
    URAIDEN_RECEIVER_LISTEN: `127.0.0.1:${port}`,
    URAIDEN_RECEIVER_OPS_LISTEN: `127.0.0.1:${await freePort()}`,
  })
  await start(podman, agent, {
    ...common('agent'),
    URAIDEN_AGENT_METRICS: `127.0.0.1:${await freePort()}`,
    URAIDEN_AGENT_RECEIVERS_SHOP_URL: `http://127.0.0.1:${port}`,
  })
  for (const program of [receiver, agent]) await healthy(podman, program.container)

  const buy = () =>
    podman('exec', agent.container, 'uraiden-agent', '--json', 'get', 'shop/sensors/uptime')
  const first = JSON.parse(await buy())
  t.like(first, { status: 200 }, JSON.stringify(first))

  // Nobody in there is root, and nothing but state and memory takes a write.
  for (const { container } of [receiver, agent]) {
    const inside = (command: string) => podman('exec', container, 'sh', '-c', command)
    t.is(await inside('id -u'), '10001')
    t.is(
      await inside(
        'for each in /etc /usr/bin /; do touch $each/x 2>/dev/null && echo $each; done; :',
      ),
      '',
    )
    t.regex(await inside('cat /proc/1/status'), /CapEff:\s+0+\n/)
    t.is(await inside('stat -c %a /var/lib/uraiden-*'), '700')
  }

  for (const { container } of [receiver, agent]) {
    await podman('restart', container)
    await healthy(podman, container)
  }
  await buy()
  const channels = JSON.parse(
    await podman('exec', agent.container, 'uraiden-agent', '--json', 'channels'),
  )
  t.is(channels.length, 1, JSON.stringify(channels))
  const stats = JSON.parse(
    await podman('exec', receiver.container, 'uraiden-receiver', '--json', 'stats'),
  )
  // Two that are asked for here, and as many as the agent's job has bought meanwhile.
  t.true(BigInt(stats.balance_sum) >= 2n * 10n ** 15n, JSON.stringify(stats))
  t.is(stats.channels.open, 1)

  // What runs no more is not healthy.
  await podman('stop', agent.container)
  await t.throwsAsync(podman('healthcheck', 'run', agent.container))
})

type Made = Awaited<ReturnType<typeof givenImages>>[Program]

function start(podman: Podman, made: Made, values: Readonly<Record<string, string>>) {
  const { container, options, image } = made
  return podman('run', '--detach', '--name', container, ...options, ...environment(values), image)
}

/** By the image's own check. */
function healthy(podman: Podman, container: string) {
  const look = () =>
    podman('healthcheck', 'run', container).then(
      () => true,
      () => false,
    )
  return until(look)
}
