# SPDX-License-Identifier: Apache-2.0
# Completion of mcp-valet for bash; needs nothing but bash itself.

_mcp_valet() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=
	COMPREPLY=()
	# bash cuts --config=FILE in three words.
	if [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi
	if ((COMP_CWORD == 1)); then
		words='serve check config help --help --version'
	else
		case $command,$prev in
		serve,--config | check,--config | serve,--audit)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		# The colons of addresses are words of their own: no help there.
		serve,--listen) return ;;
		serve,*) words='--config --dev --listen --audit' ;;
		check,*) words=--config ;;
		config,config) words='sample options schema man' ;;
		help,help) words='serve check config' ;;
		esac
		# It is understood in this place only.
		((COMP_CWORD == 2)) && [[ $command != help ]] && words+=' --help'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _mcp_valet mcp-valet
