// The sum of nine products of a window and a kernel, exact: four registers deep, all of which hold while advance is 0.
module convolution (
    input  wire               clk,
    input  wire               rst,
    input  wire               advance,

    input  wire [71:0]        i_window,     // nine signed numbers of 8 bits
    input  wire [71:0]        i_kernel,
    input  wire               i_valid,

    output reg  signed [18:0] o_data,
    output wire               o_valid
);
    reg signed [7:0]  pixel [0:8];
    reg signed [7:0]  weight [0:8];
    reg signed [15:0] product [0:8];
    reg signed [17:0] row [0:2];
    reg [3:0] valid;

    assign o_valid = valid[3];

    function signed [17:0] wide(input signed [15:0] value);
        wide = {{2{value[15]}}, value};
    endfunction

    integer tap, line;
    always @(posedge clk)
        if (advance) begin
            for (tap = 0; tap < 9; tap = tap + 1) begin
                pixel[tap]   <= i_window[8*tap +: 8];
                weight[tap]  <= i_kernel[8*tap +: 8];
                product[tap] <= pixel[tap] * weight[tap];
            end
            for (line = 0; line < 3; line = line + 1)
                row[line] <= wide(product[3*line]) + wide(product[3*line+1]) + wide(product[3*line+2]);
            o_data <= row[0] + row[1] + row[2];
        end

    always @(posedge clk)
        if (rst)
            valid <= 4'b0;
        else if (advance)
            valid <= {valid[2:0], i_valid};
endmodule
