// ReLU, then 8 bits: the sample is divided by 2^SHIFT, rounded half up, and saturated. One register.
module requantise #(
    parameter SHIFT = 8         // 1 or more
) (
    input  wire               clk,
    input  wire               rst,

    input  wire signed [15:0] i_data,
    input  wire               i_last,
    input  wire               i_error,
    input  wire               i_valid,
    output wire               i_ready,

    output reg  [7:0]         o_data,       // 0 to 127
    output reg                o_last,
    output reg                o_error,
    output reg                o_valid,
    input  wire               o_ready
);
    wire [15:0] positive = i_data[15] ? 16'd0 : i_data;
    wire [16:0] rounded  = ({1'b0, positive} + (17'd1 << (SHIFT - 1))) >> SHIFT;

    assign i_ready = ~o_valid | o_ready;

    always @(posedge clk)
        if (i_ready) begin
            o_data  <= rounded > 17'd127 ? 8'd127 : rounded[7:0];
            o_last  <= i_last;
            o_error <= i_error;
        end

    always @(posedge clk)
        if (rst)
            o_valid <= 1'b0;
        else if (i_ready)
            o_valid <= i_valid;
endmodule
