import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']

/** Where a Chromium is: `URAIDEN_CHROMIUM`, else on the path. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { URAIDEN_CHROMIUM: named, PATH = '' } = environment
  const places = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  return (named === undefined ? places : [named]).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
