// Holds a batch of images and sends it once for each output channel.
//
// Two banks: while one batch is sent, the next one comes in. A pass is the SIZE pixels of a batch and PADDING zeros,
// which push the final windows out of the line buffers. A stream moves an item in a cycle in which valid and ready
// are both 1.
module image_buffer #(
    parameter SIZE = 1024,      // pixels in a batch, a power of two
    parameter ADDRESS = 10,     // log2 of SIZE
    parameter PADDING = 9,
    parameter CHANNELS = 4,
    parameter CHANNEL = 2       // bits of a channel's number
) (
    input  wire               clk,
    input  wire               rst,

    input  wire [7:0]         i_data,
    input  wire               i_valid,
    output wire               i_ready,

    output reg  [7:0]         o_data,
    output reg  [CHANNEL-1:0] o_channel,
    output reg                o_first,      // the first pixel of a pass
    output reg                o_valid,
    input  wire               o_ready
);
    localparam [ADDRESS:0]   FINAL_STEP = SIZE + PADDING - 1;
    localparam [CHANNEL:0]   FINAL_CHANNEL = CHANNELS - 1;

    reg [7:0]         pixels [0:2*SIZE-1];
    reg [7:0]         fetched;
    reg               is_padding, is_first, is_fetched;
    reg [CHANNEL-1:0] of_channel;
    reg [1:0]         full;                 // a batch waits in the bank
    reg               write_bank;
    reg               read_bank;
    reg [ADDRESS-1:0] write_address;
    reg [ADDRESS:0]   step;                 // pixels, then zeros
    reg [CHANNEL-1:0] channel;

    wire write      = i_valid & i_ready;
    wire wrote_last = write & (&write_address);
    wire advance    = ~o_valid | o_ready;
    wire read       = advance & full[read_bank];
    wire pass_ends  = read & (step == FINAL_STEP);
    wire batch_ends = pass_ends & ({1'b0, channel} == FINAL_CHANNEL);

    assign i_ready = ~full[write_bank];

    always @(posedge clk) begin
        if (write)
            pixels[{write_bank, write_address}] <= i_data;
        if (advance)
            fetched <= pixels[{read_bank, step[ADDRESS-1:0]}];
    end

    always @(posedge clk)
        if (advance) begin
            is_padding <= step[ADDRESS];
            is_first   <= step == 0;
            of_channel <= channel;
            o_data     <= is_padding ? 8'd0 : fetched;
            o_first    <= is_first;
            o_channel  <= of_channel;
        end

    always @(posedge clk)
        if (rst) begin
            full          <= 2'b00;
            write_bank    <= 1'b0;
            read_bank     <= 1'b0;
            write_address <= 0;
            step          <= 0;
            channel       <= 0;
            is_fetched    <= 1'b0;
            o_valid       <= 1'b0;
        end else begin
            if (write)
                write_address <= write_address + 1'b1;
            if (wrote_last) begin
                full[write_bank] <= 1'b1;
                write_bank       <= ~write_bank;
            end
            if (advance)
                {o_valid, is_fetched} <= {is_fetched, full[read_bank]};
            if (read)
                step <= pass_ends ? {(ADDRESS+1){1'b0}} : step + 1'b1;
            if (pass_ends)
                channel <= batch_ends ? {CHANNEL{1'b0}} : channel + 1'b1;
            if (batch_ends) begin
                full[read_bank] <= 1'b0;
                read_bank       <= ~read_bank;
            end
        end
endmodule
