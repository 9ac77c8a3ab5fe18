/**
 * A type's name without its flavour: what stands before `___`, so that an object may have several
 * versions of one kernel type (`device___v2`).
 *
 * @linux bpf_core_essential_name_len; tools/lib/bpf/relo_core.c
 */
const FLAVOUR = /^(.*[^_])___[^_]/s;

export const essentialName = (name: string): string => FLAVOUR.exec(name)?.[1] ?? name;
