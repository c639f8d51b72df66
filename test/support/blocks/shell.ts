// Blocks of shell: what is typed, and of which programs.
import { shellLines } from '../documented-commands.ts'
import type { Block } from './find.ts'

/** Ours, whose options test/project/docs-commands.test.ts tries one by one. */
const ours = /^(\.\/scripts\/|(\.\/)?deploy\/pi\/|uraiden-(agent|receiver)$)/

/** Of others, and of the shell itself. */
const others = new Set(
  `. [ ansible-playbook bash cat cd chmod chown cp createdb createuser curl diff echo export for geth git gpg grep head influx install journalctl jq kill ls mkdir
  mosquitto_sub mount mv node npm npx openssl printf rm scp sed sha256sum ssh ssh-copy-id ssh-keygen
  systemctl systemd-creds tail tar apt apt-get docker podman runuser sudoedit tee touch umask unzip wget xz gunzip`.split(
    /\s+/,
  ),
)

/** Whether it is shell: it says so, shows a prompt, or begins with a program that is known. */
export function isShell({ language, text }: Block): boolean {
  if (['sh', 'bash', 'console'].includes(language)) return true
  if (language !== '') return false
  const [first = ''] = typed(text)
  return text.startsWith('$ ') || /^[A-Z]+=\$\(/.test(first) || programsOf(first).some(isKnown)
}

/** Programs of the block's lines that nobody knows. */
export function unknownPrograms({ text }: Block): readonly string[] {
  return typed(withoutHereDocuments(text))
    .flatMap(programsOf)
    .filter((name) => !isKnown(name))
}

/** What bash would be given. */
export const script = ({ text }: Block): string => typed(text).join('\n')

/** Without prompts and answers; lines that go on are one. */
function typed(text: string): readonly string[] {
  if (/<<'?EOF/.test(text)) return text.split('\n')
  return shellLines(`\`\`\`\n${text}\`\`\`\n`).map((line) => line.text)
}

const withoutHereDocuments = (text: string) =>
  text.replaceAll(/(<<'?EOF'?[^\n]*\n).*?^EOF$/gms, '$1')

const isKnown = (name: string) => ours.test(name) || others.has(name)

/** The first program of a line. */
function programsOf(line: string): readonly string[] {
  const command = line
    .replace(/^\s*#.*$/, '')
    .trim()
    .replace(/^\(/, '')
    .replace(
      /^(?:sudo +(?:-u \S+ +)?)?(?:[A-Za-z_]+=(?:\$\((?:'[^']*'|[^')])*\)|'[^']*'|\S)*[ ;]*)*/,
      '',
    )
    .replace(/^sudo +(?:-u \S+ +)?/, '')
  const [name = ''] = command.split(/[\s;|&)]/)
  return name === '' ? [] : [name]
}
