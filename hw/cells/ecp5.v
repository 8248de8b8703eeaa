// Simulation models of the Lattice ECP5 cells that synthesis leaves in a netlist, for two-state simulation at zero
// delay. Only the modes that l1bn's netlists use are modelled: a netlist that connects or sets anything else does not
// elaborate, or stops with an error at the start.

// Two packages in one project bring the same models.
`ifndef L1BN_CELLS_ECP5
`define L1BN_CELLS_ECP5
// Yosys runs what is initial when it reads it, and has no tasks elsewhere.
`ifdef YOSYS
`define L1BN_STOP(what) begin end
`else
`define L1BN_STOP(what) begin $display(what); $stop; end
`endif

module LUT4(input wire A, B, C, D, output wire Z);
  parameter [15:0] INIT = 0;
  assign Z = INIT[{D, C, B, A}];
endmodule

module PFUMX(input wire ALUT, BLUT, C0, output wire Z);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21(input wire D0, D1, SD, output wire Z);
  assign Z = SD ? D1 : D0;
endmodule

// Two bits of a carry chain: each a table of four inputs, whose lowest quarter, of A and B alone, is the carry where
// the table is 0.
module CCU2C(input wire CIN, A0, B0, C0, D0, A1, B1, C1, D1, output wire S0, S1, COUT);
  parameter [15:0] INIT0 = 0;
  parameter [15:0] INIT1 = 0;
  parameter [127:0] INJECT1_0 = "YES";
  parameter [127:0] INJECT1_1 = "YES";
  wire table0 = INIT0[{D0, C0, B0, A0}];
  wire table1 = INIT1[{D1, C1, B1, A1}];
  wire quarter0 = INJECT1_0 == "YES" ? 1'b0 : INIT0[{2'b0, B0, A0}];
  wire quarter1 = INJECT1_1 == "YES" ? 1'b0 : INIT1[{2'b0, B1, A1}];
  wire between = table0 ? CIN : quarter0;
  assign S0 = table0 ^ (INJECT1_0 == "YES" ? 1'b0 : CIN);
  assign S1 = table1 ^ (INJECT1_1 == "YES" ? 1'b0 : between);
  assign COUT = table1 ? between : quarter1;
endmodule

module TRELLIS_FF(input wire CLK, LSR, CE, DI, output reg Q);
  parameter [127:0] GSR = "ENABLED";
  parameter [127:0] CEMUX = "1";
  parameter [127:0] CLKMUX = "CLK";
  parameter [127:0] LSRMUX = "LSR";
  parameter [127:0] SRMODE = "LSR_OVER_CE";
  parameter [127:0] REGSET = "RESET";
  wire enable = CEMUX == "1" ? 1'b1 : CEMUX == "0" ? 1'b0 : CEMUX == "INV" ? ~CE : CE;
  wire reset = LSRMUX == "INV" ? ~LSR : LSR;
  initial begin
    Q = REGSET == "SET";
    if (CLKMUX != "CLK" || SRMODE == "ASYNC") `L1BN_STOP("TRELLIS_FF: only synchronous, on the rising edge")
  end
  always @(posedge CLK)
    if (SRMODE == "LSR_OVER_CE" ? reset : reset & enable) Q <= REGSET == "SET";
    else if (enable) Q <= DI;
endmodule

module TRELLIS_DPR16X4(input wire [3:0] DI, WAD, RAD, input wire WRE, WCK, output wire [3:0] DO);
  parameter [127:0] WCKMUX = "WCK";
  parameter [127:0] WREMUX = "WRE";
  parameter [63:0] INITVAL = 0;
  reg [63:0] words;
  initial words = INITVAL;
  initial if (WCKMUX != "WCK" || WREMUX != "WRE") `L1BN_STOP("TRELLIS_DPR16X4: only plain clock and enable")
  always @(posedge WCK) if (WRE) words[{WAD, 2'b0} +: 4] <= DI;
  assign DO = words[{RAD, 2'b0} +: 4];
endmodule

// Multiplier. Each of its levels of registers is there or not, all of them on CLK0, CE0 and a synchronous RST0.
module MULT18X18D(
  input wire A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input wire B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input wire C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input wire CLK0, CE0, RST0,
  output wire P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
  output wire P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter [127:0] REG_INPUTA_CLK = "NONE";
  parameter [127:0] REG_INPUTA_CE = "CE0";
  parameter [127:0] REG_INPUTA_RST = "RST0";
  parameter [127:0] REG_INPUTB_CLK = "NONE";
  parameter [127:0] REG_INPUTB_CE = "CE0";
  parameter [127:0] REG_INPUTB_RST = "RST0";
  parameter [127:0] REG_PIPELINE_CLK = "NONE";
  parameter [127:0] REG_PIPELINE_CE = "CE0";
  parameter [127:0] REG_PIPELINE_RST = "RST0";
  parameter [127:0] REG_OUTPUT_CLK = "NONE";
  parameter [127:0] REG_OUTPUT_CE = "CE0";
  parameter [127:0] REG_OUTPUT_RST = "RST0";
  parameter [127:0] MULT_BYPASS = "DISABLED";
  parameter [127:0] RESETMODE = "SYNC";
  parameter [127:0] GSR = "ENABLED";
  initial
    if (MULT_BYPASS != "DISABLED" || RESETMODE != "SYNC") `L1BN_STOP("MULT18X18D: mode not modelled")
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  reg [17:0] held_a, held_b;
  reg [35:0] piped, held_p;
  wire [17:0] x = REG_INPUTA_CLK == "NONE" ? a : held_a;
  wire [17:0] y = REG_INPUTB_CLK == "NONE" ? b : held_b;
  wire [35:0] product = {{18{SIGNEDA & x[17]}}, x} * {{18{SIGNEDB & y[17]}}, y};
  wire [35:0] through = REG_PIPELINE_CLK == "NONE" ? product : piped;
  always @(posedge CLK0)
    if (RST0) begin
      held_a <= 0;
      held_b <= 0;
      piped <= 0;
      held_p <= 0;
    end else if (CE0) begin
      held_a <= a;
      held_b <= b;
      piped <= product;
      held_p <= through;
    end
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = REG_OUTPUT_CLK == "NONE" ? through : held_p;
endmodule

// Block RAM with one write port (A) and one read port (B), which is all that l1bn uses. Words of 9, 18 or 36 bits use
// every bit of a byte, narrower ones leave out each ninth. A word of 36 bits takes the data pins of both ports. The
// contents start at 0.
module DP16KD(
  input wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
  input wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input wire CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
  input wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  input wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input wire CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter [127:0] REGMODE_A = "NOREG";
  parameter [127:0] REGMODE_B = "NOREG";
  parameter [127:0] RESETMODE = "SYNC";
  parameter [127:0] ASYNC_RESET_RELEASE = "SYNC";
  parameter [127:0] CSDECODE_A = "0b000";
  parameter [127:0] CSDECODE_B = "0b000";
  parameter [127:0] WRITEMODE_A = "NORMAL";
  parameter [127:0] WRITEMODE_B = "NORMAL";
  parameter [127:0] CLKAMUX = "CLKA";
  parameter [127:0] CLKBMUX = "CLKB";
  parameter [127:0] GSR = "AUTO";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  reg [17:0] words [0:1023];
  integer index;
  initial begin
    for (index = 0; index < 1024; index = index + 1) words[index] = 0;
    if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB" || CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
      `L1BN_STOP("DP16KD: mode not modelled")
  end
  always @(posedge CLKB)
    if (WEB && CEB) `L1BN_STOP("DP16KD: only port A writes")

  wire [13:0] to = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] from = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] low = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] high = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};

  // The lowest bit, in its 18 bits, of a word that starts at bit `address` of 16.
  function [4:0] place(input [3:0] address);
    place = {1'b0, address} + {4'b0, address[3]};
  endfunction

  always @(posedge CLKA)
    if (CEA && WEA)
      case (DATA_WIDTH_A)
        36: begin
          if (to[0]) words[{to[13:5], 1'b0}][8:0] <= low[8:0];
          if (to[1]) words[{to[13:5], 1'b0}][17:9] <= low[17:9];
          if (to[2]) words[{to[13:5], 1'b1}][8:0] <= high[8:0];
          if (to[3]) words[{to[13:5], 1'b1}][17:9] <= high[17:9];
        end
        18: begin
          if (to[0]) words[to[13:4]][8:0] <= low[8:0];
          if (to[1]) words[to[13:4]][17:9] <= low[17:9];
        end
        9: words[to[13:4]][place({to[3], 3'b0}) +: 9] <= low[8:0];
        4: words[to[13:4]][place({to[3:2], 2'b0}) +: 4] <= low[3:0];
        2: words[to[13:4]][place({to[3:1], 1'b0}) +: 2] <= low[1:0];
        1: words[to[13:4]][place(to[3:0]) +: 1] <= low[0];
        default: `L1BN_STOP("DP16KD: DATA_WIDTH_A not modelled")
      endcase

  reg [35:0] fetched, held;
  always @(posedge CLKB) begin
    if (CEB) begin
      if (RSTB) fetched <= 0;
      else
        case (DATA_WIDTH_B)
          36: fetched <= {words[{from[13:5], 1'b1}], words[{from[13:5], 1'b0}]};
          18: fetched <= {18'b0, words[from[13:4]]};
          9: fetched <= {27'b0, words[from[13:4]][place({from[3], 3'b0}) +: 9]};
          4: fetched <= {32'b0, words[from[13:4]][place({from[3:2], 2'b0}) +: 4]};
          2: fetched <= {34'b0, words[from[13:4]][place({from[3:1], 1'b0}) +: 2]};
          1: fetched <= {35'b0, words[from[13:4]][place(from[3:0]) +: 1]};
          default: `L1BN_STOP("DP16KD: DATA_WIDTH_B not modelled")
        endcase
    end
    if (OCEB) begin
      if (RSTB) held <= 0;
      else held <= fetched;
    end
  end
  wire [35:0] out = REGMODE_B == "OUTREG" ? held : fetched;
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0,
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = DATA_WIDTH_B == 36 ? out : {out[17:0], 18'b0};
endmodule

`undef L1BN_STOP
`endif
