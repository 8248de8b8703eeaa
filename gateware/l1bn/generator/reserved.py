"""Words that a unit cannot be called by, because a file of its package would mean something else by them, as texts."""

from __future__ import annotations

__all__ = ["BLOCKS", "CPP", "FILES", "SYSTEM_RDL", "VERILOG", "VHDL"]

VERILOG = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin
bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos
config const constraint context continue cover covergroup coverpoint cross deassign default defparam design
disable dist do edge else end endcase endchecker endclass endclocking endconfig endfunction endgenerate
endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endsequence endspecify
endtable endtask enum event eventually expect export extends extern final first_match for force foreach
forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins
implements implies import incdir include initial inout input inside instance int integer interconnect
interface intersect join join_any join_none large let liblist library local localparam logic longint
macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not
notif0 notif1 null or output package packed parameter pmos posedge primitive priority program property
protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase
randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0
rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal
showcancelled signed small soft solve specify specparam static std string strong strong0 strong1 struct
super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time timeprecision
timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned
until until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while
wildcard wire with within wor xnor xor
"""
"""Of IEEE 1800-2023, which contain those of IEEE 1364-2005, and the package that every SystemVerilog tool has."""

VHDL = """
abs access after alias all and architecture array assert assume assume_guarantee attribute begin bit
bit_vector block body boolean buffer bus case character component configuration constant context cover
default delay_length disconnect downto else elsif end entity exit fairness file file_open_kind
file_open_status for force function generate generic group guarded ieee if impure in inertial inout integer
is label library linkage literal loop map mod nand natural new next nor not null of on open or others out
package parameter port positive postponed private procedure process property protected pure range real
record register reject release rem report restrict restrict_guarantee return rol ror select sequence
severity severity_level shared signal signed sla sll sra srl std std_logic std_logic_vector std_ulogic
std_ulogic_vector string strong subtype then time to transport type unaffected units unsigned until use
variable view vmode vpkg vprop vunit wait when while with work xnor xor
"""
"""Of IEEE 1076-2019, whose designs may instantiate the module, and its libraries and types; in any case of letters."""

SYSTEM_RDL = """
abstract accesstype addressingtype addrmap alias all alternate bit boolean bothedge byte compact component
componentwidth constraint default encode enum external false field fullalign hw inside int internal level
longint mem na negedge nonsticky number onreadtype onwritetype posedge precedencetype property r rclr real
ref reg regalign regfile rset ruser rw rw1 shortint shortreal signal signed string struct sw this true type
unsigned w w1 wclr with within woclr woset wot wr wset wuser wzc wzs wzt
"""
"""Of SystemRDL 2.0, in which the unit's address map bears its name."""

CPP = """
abort alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bit_vector bitand
bitor bool break case catch cdecl char char16_t char32_t char8_t class co_await co_return co_yield compl
complex concept const const_cast const_iterator const_reference consteval constexpr constinit continue
contract_assert decltype default delete do double dynamic_cast else enum explicit export extern false far
final float for friend goto huge if imaginary import inline int interrupt list long map module mutable
namespace near new noexcept noreturn not not_eq nullptr operator or or_eq override pascal private protected
public queue reflexpr register reinterpret_cast requires restrict return sc_clock sc_in sc_inout sc_out
sc_signal sensitive sensitive_neg sensitive_pos set short signed sizeof static static_assert static_cast
struct switch synchronized template this thread_local throw TOP transaction_safe transaction_safe_dynamic
true try type_info typedef typeid typename typeof uint16_t uint32_t uint8_t union unsigned using vector
virtual void volatile wchar_t while xor xor_eq
"""
"""Of C and C++, and what Verilator takes no module by, which becomes a class of C++."""

BLOCKS = """
ALU54B CCU2C CLKDIVF DCCA DCSC DCUA DDRDLLA DELAYF DELAYG DLLDELD DP16KD DPR16X4C DQSBUFM DTR ECLKBRIDGECS
ECLKSYNCB EHXPLLL EXTREFB GSR ICESTORM_LC ICESTORM_RAM IDDR71B IDDRX1F IDDRX2DQA IDDRX2F INV JTAGG L6MUX21
LUT2 LUT4 MULT18X18D ODDR71B ODDRX1F ODDRX2DQA ODDRX2DQSB ODDRX2F OSCG OSHX2A PCSCLKDIV PDPW16KD PFUMX PUR
SB_CARRY SB_DFF SB_DFFE SB_DFFER SB_DFFES SB_DFFESR SB_DFFESS SB_DFFN SB_DFFNE SB_DFFNER SB_DFFNES
SB_DFFNESR SB_DFFNESS SB_DFFNR SB_DFFNS SB_DFFNSR SB_DFFNSS SB_DFFR SB_DFFS SB_DFFSR SB_DFFSS SB_FILTER_50NS
SB_GB SB_GB_IO SB_HFOSC SB_I2C SB_IO SB_IO_I3C SB_IO_OD SB_LED_DRV_CUR SB_LEDDA_IP SB_LFOSC SB_LUT4 SB_MAC16
SB_PLL40_2_PAD SB_PLL40_2F_CORE SB_PLL40_2F_PAD SB_PLL40_CORE SB_PLL40_PAD SB_RAM40_4K SB_RAM40_4KNR
SB_RAM40_4KNRNW SB_RAM40_4KNW SB_RGB_DRV SB_RGBA_DRV SB_SPI SB_SPRAM256KA SB_WARMBOOT SGSR TRELLIS_COMB
TRELLIS_DPR16X4 TRELLIS_FF TRELLIS_IO TRELLIS_RAM16X2 TSHX2DQA TSHX2DQSA USRMCLK VHI VLO
"""
"""Modules of the FPGA families whose blocks a unit may instantiate; in any case of letters."""

FILES = """
aux com1 com2 com3 com4 com5 com6 com7 com8 com9 con lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 nul prn
"""
"""What no file is called where packages may be unpacked; in any case of letters."""
