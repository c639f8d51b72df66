// podman without root and without a daemon: what builds and runs images in tests.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../.cache/containers/', import.meta.url))
const sources = fileURLToPath(new URL('../../deploy/', import.meta.url))

/** What stands in for the image of a registry. */
const base = 'localhost/uraiden-base:bookworm'

/**
 * As the user of its second argument, whose runtime folder is the first. crun runs nothing where both versions of
 * cgroups are mounted: podman then sees the newer one alone.
 */
const asUser = `
runtime=$1 user=$2; shift 2
if [ -e /sys/fs/cgroup/unified ]; then mount -t cgroup2 none /sys/fs/cgroup; fi
mount --make-rshared /
cd / && exec runuser -u "$user" -- env XDG_RUNTIME_DIR="$runtime" HOME="$(getent passwd "$user" | cut -d: -f6)" "$@"
`

export type Podman = (...args: readonly string[]) => Promise<string>

/** Of this test; `folder` is the user's. */
export async function givenPodman(t: ExecutionContext) {
  const { URAIDEN_CONTAINER_USER: user = '' } = process.env
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-podman-'))
  const runtime = join(folder, 'run')
  await mkdir(runtime, { mode: 0o700 })
  const storage = ['podman', '--root', join(folder, 'storage'), '--storage-driver', 'overlay']
  const command = (args: readonly string[]): readonly string[] =>
    user === ''
      ? ['env', `XDG_RUNTIME_DIR=${runtime}`, ...storage, ...args]
      : ['unshare', '--mount', 'sh', '-c', asUser, 'sh', runtime, user, ...storage, ...args]
  const podman: Podman = async (...args) => {
    const [program = '', ...rest] = command(args)
    const { stdout } = await run(program, rest, { maxBuffer: 2 ** 26 })
    return stdout.trim()
  }
  const own = async (...paths: readonly string[]) => {
    if (user === '') return
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, user])))
    const [uid = 0, gid = 0] = ids.map(({ stdout }) => Number(stdout))
    for (const path of paths) await chown(path, uid, gid)
  }
  await own(folder, runtime)
  // A process of an earlier run may hold the namespaces of then.
  await podman('system', 'migrate')
  t.teardown(async () => {
    // Files in it belong to users of the containers; podman keeps a part of it mounted.
    const remove = `umount -l ${folder}/storage/overlay; rm -rf ${folder}/storage`
    await podman('unshare', 'sh', '-c', remove)
    await podman('system', 'migrate')
    await rm(folder, { recursive: true, force: true })
  })
  const put = async (name: string, text: string, mode = 0o644) => {
    const path = join(folder, name)
    await writeFile(path, text, { mode })
    await own(path)
    return path
  }
  return { podman, folder, put, own }
}

type Given = Pick<Awaited<ReturnType<typeof givenPodman>>, 'podman' | 'folder'>

/** Builds the image of a program from its Containerfile, as it stands, on a base that is made here. */
export async function buildImage(given: Given, program: 'agent' | 'receiver'): Promise<string> {
  const { packages } = await givenBase(given)
  const file = join(given.folder, 'deploy/containers', program, 'Containerfile')
  return build(given, { program, file, context: packages, base: 'BASE' })
}

/** The same of the add-on of Home Assistant, whose context is its own folder with the package in it. */
export async function buildAddOn(given: Given): Promise<string> {
  const { packages } = await givenBase(given)
  const context = join(given.folder, 'deploy/home-assistant/uraiden_agent')
  await cp(packages, context, { recursive: true })
  const file = join(context, 'Dockerfile')
  return build(given, { program: 'add-on', file, context, base: 'BUILD_FROM' })
}

async function givenBase({ podman, folder }: Given) {
  const tar = join(folder, 'base.tar')
  const packages = join(folder, 'packages')
  if (!existsSync(tar)) {
    await cp(join(cache, 'base.tar'), tar)
    await cp(join(cache, 'packages'), packages, { recursive: true })
    for (const name of ['containers', 'home-assistant']) {
      await cp(join(sources, name), join(folder, 'deploy', name), { recursive: true })
    }
    await podman('import', '--quiet', tar, base)
  }
  return { packages }
}

interface Build {
  readonly program: string
  readonly file: string
  readonly context: string
  /** The argument that names what it is built on. */
  readonly base: string
}

async function build({ podman }: Given, { program, file, context, base: name }: Build) {
  const image = `localhost/uraiden-${program}:tested`
  await podman(
    ...['build', '--quiet', '--isolation', 'chroot', '--format', 'docker', '--tag', image],
    ...['--build-arg', `${name}=${base}`, '--file', file, context],
  )
  return image
}
