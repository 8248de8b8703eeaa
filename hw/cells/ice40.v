// Simulation models of the Lattice iCE40 cells that synthesis leaves in a netlist, for two-state simulation at zero
// delay. Only the modes that l1bn's netlists use are modelled: a netlist that connects or sets anything else does not
// elaborate, or stops with an error at the start.

// Two packages in one project bring the same models.
`ifndef L1BN_CELLS_ICE40
`define L1BN_CELLS_ICE40
// Yosys runs what is initial when it reads it, and has no tasks elsewhere.
`ifdef YOSYS
`define L1BN_STOP(what) begin end
`else
`define L1BN_STOP(what) begin $display(what); $stop; end
`endif

module SB_LUT4(input wire I0, I1, I2, I3, output wire O);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule

module SB_CARRY(input wire I0, I1, CI, output wire CO);
  assign CO = (I0 & I1) | ((I0 | I1) & CI);
endmodule

module SB_DFF(input wire C, D, output reg Q);
  initial Q = 0;
  always @(posedge C) Q <= D;
endmodule

module SB_DFFE(input wire C, E, D, output reg Q);
  initial Q = 0;
  always @(posedge C) if (E) Q <= D;
endmodule

module SB_DFFSR(input wire C, R, D, output reg Q);
  initial Q = 0;
  always @(posedge C) Q <= R ? 1'b0 : D;
endmodule

module SB_DFFSS(input wire C, S, D, output reg Q);
  initial Q = 0;
  always @(posedge C) Q <= S ? 1'b1 : D;
endmodule

module SB_DFFESR(input wire C, E, R, D, output reg Q);
  initial Q = 0;
  always @(posedge C) if (E) Q <= R ? 1'b0 : D;
endmodule

module SB_DFFESS(input wire C, E, S, D, output reg Q);
  initial Q = 0;
  always @(posedge C) if (E) Q <= S ? 1'b1 : D;
endmodule

// Block RAM: 256 words of 16 bits. In the narrower modes the upper address bits choose bits of a word, which lie
// apart: bit k of a word of 8 bits is bit 2k of 16, plus the lowest of these address bits, and so on.
module SB_RAM40_4K(
  output wire [15:0] RDATA,
  input wire RCLK, RCLKE, RE,
  input wire [10:0] RADDR,
  input wire WCLK, WCLKE, WE,
  input wire [10:0] WADDR,
  input wire [15:0] MASK, WDATA
);
  parameter [1:0] WRITE_MODE = 0;
  parameter [1:0] READ_MODE = 0;
  parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0;
  parameter [255:0] INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0;
  parameter [255:0] INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0;
  parameter [255:0] INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0;
  reg [15:0] words [0:255];
  integer index;
  initial for (index = 0; index < 256; index = index + 1) words[index] = 0;

  // Which of the 16 bits an address writes or reads, by mode.
  function [15:0] chosen(input [1:0] mode, input [10:8] upper);
    case (mode)
      0: chosen = 16'hFFFF;
      1: chosen = 16'h5555 << upper[8];
      2: chosen = 16'h1111 << upper[9:8];
      default: chosen = 16'h0101 << upper[10:8];
    endcase
  endfunction

  // The data pins of the narrower modes are every second, fourth or eighth one; each serves its neighbours.
  function [15:0] spread(input [1:0] mode, input [15:0] data);
    case (mode)
      0: spread = data;
      1: spread = {
        {2{data[14]}}, {2{data[12]}}, {2{data[10]}}, {2{data[8]}},
        {2{data[6]}}, {2{data[4]}}, {2{data[2]}}, {2{data[0]}}
      };
      2: spread = {{4{data[13]}}, {4{data[9]}}, {4{data[5]}}, {4{data[1]}}};
      default: spread = {{8{data[11]}}, {8{data[3]}}};
    endcase
  endfunction

  wire [15:0] enabled = WRITE_MODE == 0 ? ~MASK : chosen(WRITE_MODE, WADDR[10:8]);
  always @(posedge WCLK)
    if (WE && WCLKE) words[WADDR[7:0]] <= (words[WADDR[7:0]] & ~enabled) | (spread(WRITE_MODE, WDATA) & enabled);

  reg [15:0] fetched;
  wire [15:0] taken = words[RADDR[7:0]] & chosen(READ_MODE, RADDR[10:8]);
  always @(posedge RCLK)
    if (RE && RCLKE)
      case (READ_MODE)
        0: fetched <= taken;
        1: fetched <= {
          1'b0, |taken[15:14], 1'b0, |taken[13:12], 1'b0, |taken[11:10], 1'b0, |taken[9:8],
          1'b0, |taken[7:6], 1'b0, |taken[5:4], 1'b0, |taken[3:2], 1'b0, |taken[1:0]
        };
        2: fetched <= {2'b0, |taken[15:12], 3'b0, |taken[11:8], 3'b0, |taken[7:4], 3'b0, |taken[3:0], 1'b0};
        default: fetched <= {4'b0, |taken[15:8], 7'b0, |taken[7:0], 3'b0};
      endcase
  assign RDATA = fetched;
endmodule

// Multiplier of 16 x 16 bits. Each of its levels of registers is there or not; its accumulators are not used.
module SB_MAC16(
  input wire CLK, CE,
  input wire [15:0] C, A, B, D,
  input wire AHOLD, BHOLD, CHOLD, DHOLD, IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT,
  input wire OLOADTOP, OLOADBOT, ADDSUBTOP, ADDSUBBOT, OHOLDTOP, OHOLDBOT, CI, ACCUMCI, SIGNEXTIN,
  output wire [31:0] O,
  output wire CO, ACCUMCO, SIGNEXTOUT
);
  parameter NEG_TRIGGER = 0;
  parameter C_REG = 0;
  parameter A_REG = 0;
  parameter B_REG = 0;
  parameter D_REG = 0;
  parameter TOP_8x8_MULT_REG = 0;
  parameter BOT_8x8_MULT_REG = 0;
  parameter PIPELINE_16x16_MULT_REG1 = 0;
  parameter PIPELINE_16x16_MULT_REG2 = 0;
  parameter TOPOUTPUT_SELECT = 0;
  parameter TOPADDSUB_LOWERINPUT = 0;
  parameter TOPADDSUB_UPPERINPUT = 0;
  parameter TOPADDSUB_CARRYSELECT = 0;
  parameter BOTOUTPUT_SELECT = 0;
  parameter BOTADDSUB_LOWERINPUT = 0;
  parameter BOTADDSUB_UPPERINPUT = 0;
  parameter BOTADDSUB_CARRYSELECT = 0;
  parameter MODE_8x8 = 0;
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  localparam FIRST = PIPELINE_16x16_MULT_REG1 != 0;
  initial
    if (NEG_TRIGGER != 0 || MODE_8x8 != 0 || TOPOUTPUT_SELECT != 3 || BOTOUTPUT_SELECT != 3
        || (TOP_8x8_MULT_REG != 0) != FIRST || (BOT_8x8_MULT_REG != 0) != FIRST)
      `L1BN_STOP("SB_MAC16: mode not modelled")
  reg [15:0] held_a, held_b;
  reg [31:0] piped, held_o;
  wire [15:0] x = A_REG != 0 ? held_a : A;
  wire [15:0] y = B_REG != 0 ? held_b : B;
  wire [31:0] product = {{16{A_SIGNED != 0 && x[15]}}, x} * {{16{B_SIGNED != 0 && y[15]}}, y};
  wire [31:0] through = FIRST ? piped : product;
  always @(posedge CLK)
    if (CE) begin
      if (!AHOLD) held_a <= A;
      if (!BHOLD) held_b <= B;
      piped <= product;
      held_o <= through;
    end
  always @(posedge CLK)
    if (IRSTTOP || IRSTBOT || ORSTTOP || ORSTBOT) `L1BN_STOP("SB_MAC16: resets are not modelled")
  assign O = PIPELINE_16x16_MULT_REG2 != 0 ? held_o : through;
  assign CO = 0;
  assign ACCUMCO = 0;
  assign SIGNEXTOUT = 0;
endmodule

`undef L1BN_STOP
`endif
