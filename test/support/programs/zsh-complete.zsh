# What zsh offers for command lines. It completes only at a terminal, so it gets one; what would be added is
# printed in place of that. Taken: the folder of the completion, the command lines.
zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'compadd() { local -a _o _d; local _i
  if [[ ${@[(I)-(O|A|D)]} -gt 0 ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A _o "$@"; for _i in $_o; do print -r -- "OFFERED $_i"; done; return 1 }'
zpty -w shell '_to_its_end() { _main_complete; print COMPL'"''"'ETED }'
zpty -w shell 'bindkey "^I" complete-word; zle -C complete-word complete-word _to_its_end; print REA'"''"'DY'
zpty -r shell line '*READY*'
for typed in "${@[2,-1]}"; do
  zpty -w -n shell "$typed"$'\t'
  zpty -r shell line '*COMPLETED*'
  print -r -- "## $typed"
  print -r -- "$line"
  # The line away again: nothing is typed into a completion that is not over.
  zpty -w -n shell $'\x15'
  zpty -w shell "print THE''END"
  zpty -r shell line '*THEEND*'
done
