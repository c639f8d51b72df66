// uraiden-receiver watch: guards a receiver's channels from another machine.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { createLog } from '../../program/log.ts'
import { watchtowerOverHttp } from '../../program/plain-http.ts'
import { openSigner } from '../../program/settings.ts'
import { loadWatchConfig, watchNames, watchSettings } from '../../program/watchtower/config.ts'
import { type RunningWatchtower, runWatchtower } from '../../program/watchtower/run.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { configOptions } from './options.ts'
import { configFile } from './session.ts'
import { listenAddress, type StartOptions, stopRequest } from './start.ts'

export async function watch(options: StartOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const asked = stopRequest()
  const file = configFile(options, watchNames)
  const settings = watchSettings(await loadWatchConfig({ file, options: configOptions(options) }))
  const { log } = createLog(settings.log)
  const signer = await openSigner(settings.key, (message) => log.warn(message))
  const listen = listenAddress(settings, options)
  for (const { says } of watchtowerOverHttp({ ...settings, listen })) log.warn(says)
  const running = await runWatchtower({ settings, signer, listen, log })
  try {
    process.on('SIGHUP', () => void running.reload())
    await Promise.race([running.tower.synced, asked])
    output.print(output.json ? JSON.stringify(JSON.parse(toJson(facts(running)))) : text(running))
    log.info({ signal: await asked }, 'stopping')
  } finally {
    await running.stop()
  }
  return exitCode.ok
}

function facts({ tower, url }: RunningWatchtower) {
  const { guarded, account, status } = tower
  return { url, account, ...guarded, proofs: status().proofs }
}

function text(running: RunningWatchtower): string {
  const { url, account, receiver, contract, chainId, proofs } = facts(running)
  return [
    `guards     ${receiver}, ${proofs} channels`,
    `chain      id ${chainId}, contract ${contract}`,
    `account    ${account}: pays for answers, needs some ether`,
    `listens    ${url}`,
  ].join('\n')
}
