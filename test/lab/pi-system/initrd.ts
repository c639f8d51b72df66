// The first programs of the boot: Debian's kernel has the drivers of disk and file system as modules.
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { tool } from '../../../deploy/pi/packaging/tools.ts'

/** Disk, file system (with the checksum that it asks for), network, randomness of qemu's `virt`. */
const drivers = ['virtio_mmio', 'virtio_blk', 'crc32c_generic', 'ext4', 'virtio_net', 'virtio_rng']

// `$init` is a word of the kernel's command line, which the kernel leaves in the environment.
const init = `#!/bin/sh
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "/modules/$module"; done < /modules/order
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o ro,noatime /dev/vda /root
umount /proc /sys
mount -o move /dev /root/dev
exec switch_root /root "\${start:-/lib/systemd/systemd}"
`

export interface InitrdParts {
  /** `lib/modules/VERSION` of the kernel's package. */
  readonly modules: string
  readonly busybox: string
  /** Is filled and packed. */
  readonly folder: string
  readonly file: string
}

export async function writeInitrd({ modules, busybox, folder, file }: InitrdParts): Promise<void> {
  const known = await modulesUnder(modules)
  const order = await withDependencies(drivers, known)
  for (const name of ['bin', 'dev', 'proc', 'sys', 'root', 'modules']) {
    await mkdir(join(folder, name), { recursive: true })
  }
  for (const path of order) await copyFile(path, join(folder, 'modules', basename(path)))
  await writeFile(
    join(folder, 'modules/order'),
    `${order.map((path) => basename(path)).join('\n')}\n`,
  )
  await copyFile(busybox, join(folder, 'bin/busybox'))
  for (const name of ['sh', 'mount', 'umount', 'insmod', 'sleep', 'switch_root', '[']) {
    await symlink('busybox', join(folder, 'bin', name))
  }
  await writeFile(join(folder, 'init'), init, { mode: 0o755 })
  const pack = 'find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > "$1"'
  await tool('sh', ['-euc', pack, 'sh', file], { cwd: folder })
}

async function modulesUnder(folder: string): Promise<ReadonlyMap<string, string>> {
  const paths = await readdir(folder, { recursive: true })
  return new Map(
    paths.filter((path) => path.endsWith('.ko')).map((path) => [nameOf(path), join(folder, path)]),
  )
}

/** File names have hyphens where modules have underscores. */
function nameOf(path: string): string {
  return basename(path, '.ko').replaceAll('-', '_')
}

/** Paths in an order in which they can be loaded. What is not there is built into the kernel. */
async function withDependencies(
  names: readonly string[],
  known: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const order = new Set<string>()
  const add = async (name: string): Promise<void> => {
    const path = known.get(name)
    if (path === undefined || order.has(path)) return
    for (const needed of await dependencies(path)) await add(needed)
    order.add(path)
  }
  for (const name of names) await add(name)
  return [...order]
}

/** ELF section .modinfo: `key=value` and a zero byte, one after the other. */
async function dependencies(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'latin1')
  const names = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? ''
  return names.split(',').filter(Boolean).map(nameOf)
}
