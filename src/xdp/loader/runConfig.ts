/**
 * What a program says about its place among several on one device: a variable `_NAME` in the section
 * `.xdp_run_config`, defined by type as maps are, that libxdp reads.
 *
 *   struct {
 *     __uint(priority, 10);
 *     __uint(XDP_PASS, 1);
 *     __uint(XDP_DROP, 1);
 *   } XDP_RUN_CONFIG(NAME);
 *
 * @linux xdp_parse_run_config; xdp-tools, lib/libxdp/libxdp.c
 */
import type { Btf } from '../btf/btf.ts';
import { XDP_ACTION_NAMES, XDP_PASS } from '../uapi.ts';
import { readUint } from './btfMaps.ts';

const SECTION = '.xdp_run_config';

/** Where a program stands that says nothing; lower ones run first. */
export const XDP_DEFAULT_RUN_PRIO = 50;
/** Bit n: after verdict n the next program runs. */
export const XDP_DEFAULT_CHAIN_CALL_ACTIONS: number = 1 << XDP_PASS;

export interface RunConfig {
  readonly priority: number;
  readonly chainCallActions: number;
}

/**
 * @param btf of the object
 * @returns null when the object says nothing of the program
 * @throws BtfError for a definition that libxdp refuses
 */
export function runConfigOf(btf: Btf | null, program: string): RunConfig | null {
  const variables = btf?.find(SECTION, 'datasec')?.vars ?? [];
  const found = variables.find(({ type }) => btf!.type(type).name === `_${program}`);
  return found === undefined ? null : readRunConfig(btf!, found.type, program);
}

function readRunConfig(btf: Btf, id: number, program: string): RunConfig {
  const refuse = (reason: string): Error =>
    btf.refuse(id, `${SECTION} of program ${program}: ${reason}`);
  const variable = btf.type(id);
  if (variable.kind !== 'var') throw refuse('no variable');
  const definition = btf.resolve(variable.type);
  if (definition.kind !== 'struct') throw refuse(`defined by a ${definition.kind}, not a struct`);
  let priority = XDP_DEFAULT_RUN_PRIO;
  let chainCallActions = XDP_DEFAULT_CHAIN_CALL_ACTIONS;
  for (const member of definition.members) {
    const value = readUint(btf, member, refuse);
    const action = XDP_ACTION_NAMES.indexOf(member.name);
    if (member.name === 'priority') priority = value;
    else if (action < 0) throw refuse(`a member ${member.name}, which is not known`);
    else if (value === 0) chainCallActions &= ~(1 << action);
    else chainCallActions |= 1 << action;
  }
  return { priority, chainCallActions };
}
