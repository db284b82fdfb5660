# SPDX-License-Identifier: Apache-2.0
# Completion of mcp-valet-tenant for bash; needs nothing but bash itself.

_mcp_valet_tenant() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	# bash cuts --data=FILE in three words.
	if [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi
	case $prev in
	--data)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	--listen | --https-listen) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W '--listen --https-listen --data --describe
			--exit-with-stdin --help --version' -- "$cur")
		;;
	esac
}

complete -F _mcp_valet_tenant mcp-valet-tenant
