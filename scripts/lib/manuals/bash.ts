// Completion for bash, which calls the function with the words that are typed so far.
import {
  allCommands,
  type CommandModel,
  isFile,
  type OptionModel,
  optionsBehind,
  type ProgramModel,
} from './model.ts'

export function bashCompletion(program: ProgramModel): string {
  const commands = allCommands(program)
  const name = `_${program.name.replace('-', '_')}`
  const below = commands.slice(1).map(({ path }) => `'${spaced(path)}'`)
  return `# bash completion of ${program.name}(1); made by npm run manuals
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} path='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case $path:\${COMP_WORDS[index]} in
      ${patterns(commands, ({ value }) => value !== undefined)}) ((index++)) ;;
      *:-*) ;;
      *)
        case "$path \${COMP_WORDS[index]}" in
          ${below.join(' | ')}) path+=" \${COMP_WORDS[index]}" ;;
        esac
        ;;
    esac
  done
  case $path:$before in
    ${patterns(commands, ({ value }) => isFile(value))})
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    ${patterns(commands, ({ value }) => value !== undefined && !isFile(value))})
      COMPREPLY=()
      return
      ;;
  esac
  local words='' files=''
  case $path in
${commands.map((command) => caseOf(program, command)).join('')}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F ${name} ${program.name}
`
}

function caseOf(program: ProgramModel, command: CommandModel): string {
  const { path, commands, takes } = command
  const options = optionsBehind(program, command).map(({ long }) => long)
  const words = [...commands.map((each) => each.path.at(-1)), ...options]
  const files = takes.some(({ name }) => isFile(name)) ? ' files=yes' : ''
  return `    '${spaced(path)}') words='${words.join(' ')}'${files} ;;\n`
}

/** Of options that are so, each behind the command that has it, and behind those below that. */
function patterns(
  commands: readonly CommandModel[],
  isSo: (option: OptionModel) => boolean,
): string {
  const found = commands.flatMap(({ path, options, commands: below }) =>
    options
      .filter(isSo)
      .flatMap(({ short, long }) => [...(short === undefined ? [] : [short]), long])
      .flatMap((flag) => {
        if (path.length === 0) return [`*:${flag}`]
        const behind = below.length > 0 ? [`'${spaced(path)} '*:${flag}`] : []
        return [`'${spaced(path)}':${flag}`, ...behind]
      }),
  )
  return found.join(' | ')
}

function spaced(path: readonly string[]): string {
  return path.map((each) => ` ${each}`).join('')
}
