/**
 * The library, listed by hand: what runs in a browser as well as in Node. Runs that name files are
 * in `ringscope/node`, matchers in `ringscope/vitest`.
 */

// Programs.
export { defineXdp, devMap } from './xdp/define.ts';
export type { DevMapSpec, LiveMaps, MapSpecs, XdpOptions, XdpProgramSpec } from './xdp/define.ts';
export type { XdpContext } from './xdp/context.ts';
export type { DevMap } from './xdp/maps/devmap.ts';
export { ProgramFault } from './xdp/program.ts';
export { VerifierError } from './xdp/verifier/verify.ts';
export type { BranchStep, Explanation, Origin, SourceLine } from './xdp/verifier/explain.ts';
export type { XdpProg } from './xdp/program.ts';
export {
  BPF_F_BROADCAST,
  BPF_F_EXCLUDE_INGRESS,
  XDP_ABORTED,
  XDP_ACTION_NAMES,
  XDP_DROP,
  XDP_PACKET_HEADROOM,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_TX,
} from './xdp/uapi.ts';

// eBPF objects: a blueprint that may be edited, then a life outside a machine or in one.
export { chooseProgram, LoneProgram, readKernelTypes, readObject } from './lab/bpfObject.ts';
export type { LoneOptions, ProgramChoice } from './lab/bpfObject.ts';
export { verifyObject } from './lab/bpfVerify.ts';
export type { ProgramVerdict, VerifyObjectOptions } from './lab/bpfVerify.ts';
export { objectXdp } from './xdp/objectProgram.ts';
export type { ObjectOptions } from './xdp/objectProgram.ts';
export { dispatchXdp } from './xdp/dispatcher.ts';
export type { DispatchedProgram } from './xdp/dispatcher.ts';
export { getVariable, setVariable } from './xdp/loader/variables.ts';
export type {
  CollectionSpec,
  CoreRelo,
  FuncInfo,
  InsnRef,
  LineInfo,
  MapInit,
  MapSpec,
  ProgramSpec,
  VariableSpec,
} from './xdp/loader/spec.ts';
export type { Btf } from './xdp/btf/btf.ts';
export type { BtfInput, BtfValue } from './xdp/btf/value.ts';
export { BtfError, ElfError } from './xdp/elf/objectError.ts';
export { LoadError } from './xdp/loader/image.ts';
export type { BpfProgramImage } from './xdp/loader/image.ts';
export { ValueRefused } from './xdp/btf/value.ts';

// eBPF by hand: assembler, engines, maps.
export { asm, assemble, LabelError, REGS } from './xdp/isa/asm.ts';
export type { AsmLine, Operand, Reg } from './xdp/isa/asm.ts';
export { assembleClang } from './xdp/isa/asmClang.ts';
export { assembleConformance } from './xdp/isa/asmConformance.ts';
export { AsmError } from './xdp/isa/asmError.ts';
export { decodeInsns, encodeInsns } from './xdp/isa/insn.ts';
export type { Insn } from './xdp/isa/insn.ts';
export { disasm } from './xdp/isa/disasm.ts';
export type { DisasmNames } from './xdp/isa/disasm.ts';
export { listingText, listInsns } from './xdp/isa/listing.ts';
export type { Listable, ListedInsn } from './xdp/isa/listing.ts';
export { standaloneBpf } from './xdp/standalone.ts';
export type { StandaloneOptions } from './xdp/standalone.ts';
export type { Bpf } from './xdp/bpf.ts';
export { ProgramRefused } from './xdp/engine.ts';
export type { BpfRunnable, EngineImage } from './xdp/engine.ts';
export { Interpreter } from './xdp/interp/interpreter.ts';
export type { InterpOptions } from './xdp/interp/run.ts';
export { JitProgram } from './xdp/jit/compile.ts';
export type { JitOptions } from './xdp/jit/compile.ts';
export { loadCollection } from './xdp/loader/load.ts';
export type { BpfProg, Collection, LoadOptions } from './xdp/loader/load.ts';
export { TestRun } from './xdp/testRun.ts';
export { createMap, mapMemory } from './xdp/maps/createMap.ts';
export type { BpfMap } from './xdp/maps/bpfMap.ts';
export {
  sysDeleteBatch,
  sysLookupAndDeleteBatch,
  sysLookupBatch,
  sysUpdateBatch,
} from './xdp/maps/batch.ts';
export type { BatchDone, BatchRead } from './xdp/maps/batch.ts';
export { MapError } from './xdp/maps/mapDef.ts';
export type { MapDef } from './xdp/maps/mapDef.ts';
export { PerfEventArrayMap } from './xdp/maps/perfEventArray.ts';
export { RingbufMap } from './xdp/maps/ringbuf.ts';
export { TypedMap } from './xdp/loader/typedMap.ts';
export type { MapDatum, MapTypes } from './xdp/loader/typedMap.ts';

// Runs.
export { run } from './lab/given.ts';
export type { GivenIo, RunGiven } from './lab/given.ts';
export { perfRecords, ringbufRecords } from './lab/mapEvents.ts';
export { observeRun } from './lab/observe.ts';
export type { RunDone, RunEvent, RunProgress } from './lab/observe.ts';
export type { AppOptions } from './lab/appOptions.ts';
export { datagramStream } from './lab/datagrams.ts';
export { packet } from './lab/packet.ts';
export type { PacketOptions, PacketResult, SentFrame } from './lab/packet.ts';
export { InputError } from './lab/inputError.ts';
export { fromFlags, OptionError, readOptions } from './lab/options.ts';
export type { OptionSource } from './lab/options.ts';
export { RUN_OPTIONS } from './lab/optionSchema.ts';
export type { NicOptions, OptionInfo, RunOptions } from './lab/optionSchema.ts';
export { readScenario } from './lab/scenario.ts';
export { runScenario } from './lab/run.ts';
export type { BuildMachine, RunIo, RunOutcome } from './lab/run.ts';
export type {
  CpuReport,
  PacketCounts,
  QueueReport,
  RunReport,
  SocketReport,
} from './lab/report.ts';
export type { RunAbout } from './lab/runAbout.ts';

// The machine and its books.
export { Machine } from './machine.ts';
export type { MachineNic, MachinePace } from './machine.ts';
export { Inlet, inletBytes } from './machine/inlet.ts';
export { Lan, LAN_SLOTS } from './machine/lan.ts';
export type { LanPort } from './machine/lan.ts';
export type { MachineConfig, NicConfig } from './machine/config.ts';
export { APP_DEFAULTS } from './machine/inetConfig.ts';
export type { AppConfig, AppKind, InetConfig, NicAddresses } from './machine/inetConfig.ts';
export type { CapturedDatagram, Datagram } from './machine/udpApp.ts';
export type {
  MachineResult,
  NapiBooks,
  NicBooks,
  PageBooks,
  SocketBooks,
} from './machine/result.ts';
export { Fates, LOSS_CAUSES } from './host/fates.ts';
export type { LossCause, LossStage } from './host/fates.ts';
export { Histogram } from './host/histogram.ts';
export { FLAT, PROFILES } from './host/profiles.ts';
export type { CostEntry, CostProfile, NicTiming } from './host/profile.ts';
export { FAULT_POINTS } from './host/faults.ts';
export type { FaultPoint, Faults } from './host/faults.ts';
export { TRACE_POINTS } from './host/trace.ts';
export type { Trace, TracePoint, TraceRecord } from './host/trace.ts';
export { BugError, RangeRefused } from './host/errors.ts';
export { END_OF_TIME, PS_PER_MS, PS_PER_NS, PS_PER_SEC, PS_PER_US } from './host/clock.ts';
export type { Ps } from './host/clock.ts';
export { Rng } from './host/rng.ts';
export type { HostAddr } from './host/memory.ts';

// Frames: traffic, links, captures.
export { buildFrame } from './wire/build.ts';
export type { FrameSpec, VlanSpec } from './wire/build.ts';
export { parseMac } from './wire/eth.ts';
export type { MacAddr } from './wire/eth.ts';
export { parseIpv4Addr } from './wire/ipv4.ts';
export { parseIpv6Addr } from './wire/ipv6Text.ts';
export { parseTraffic, TRAFFIC_DEFAULT } from './wire/trafficSpec.ts';
export type { PatternSpec, ProtoWeight, TrafficProto, TrafficSpec } from './wire/trafficSpec.ts';
export { planTraffic, TrafficSource } from './wire/gen.ts';
export type { TrafficPlan } from './wire/gen.ts';
export { ArrivalBlock, FrameTable } from './wire/frames.ts';
export type { ArrivalSource, WireSink } from './wire/frames.ts';
export { Link, LinkFeed } from './wire/link.ts';
export type { SendSource } from './wire/link.ts';
export { ReplaySource, replayFrameBytes } from './wire/replay.ts';
export type { ReplayOptions, ReplayTiming } from './wire/replay.ts';
export {
  CaptureError,
  frameTimePs,
  LINKTYPE_ETHERNET,
  PcapngWriter,
  PcapWriter,
  readCapture,
} from './wire/capture.ts';
export type {
  Capture,
  CapturedFrame,
  CaptureInterface,
  CaptureTime,
  CaptureWriter,
  CaptureWriterOptions,
  FrameExtra,
  PcapngWriterOptions,
  PcapWriterOptions,
} from './wire/capture.ts';
export { checksumVerdict, ParsedFrame, parseFrame } from './wire/parse.ts';

// Receive-side scaling, for whoever wants to know where a flow goes.
export { STANDARD_HASH_KEY, toeplitz } from './nic/rss.ts';
